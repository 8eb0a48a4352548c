"""Torture: a real stack is killed, stopped, cut off and filled up, and its history is checked."""

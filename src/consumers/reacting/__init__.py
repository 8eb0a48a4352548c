"""Reads the events and sends the follow-up commands of the reactions."""

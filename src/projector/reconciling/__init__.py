"""Compares the read models with the log, with independent code."""

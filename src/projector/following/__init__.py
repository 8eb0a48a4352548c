"""Reads the events in order and writes each batch together with its end position."""

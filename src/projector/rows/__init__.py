"""Rows: the tables, what an event changes in them, and how a batch of changes is written."""

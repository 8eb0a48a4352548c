"""Deadlines: which events set them, their table, and the process that sends them when due."""

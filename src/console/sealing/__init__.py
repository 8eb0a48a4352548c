"""Seals free texts before a command is published, and opens them to be shown."""

"""Builds the read models again in shadow tables, and swaps them with the live ones."""

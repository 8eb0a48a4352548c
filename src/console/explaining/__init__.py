"""Explaining: why an amount is what it is, from what the events store."""

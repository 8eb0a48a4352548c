"""Formats events and reports, as text and as JSON."""

"""Asking: answers to people and programs from the finance views and the outcomes."""

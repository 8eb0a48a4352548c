"""Answers queries from the finance views and the outcomes."""

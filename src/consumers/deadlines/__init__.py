"""Deadlines: which events set one, where they are kept, and who sends what has come due."""

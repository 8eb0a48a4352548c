"""The HTTP API: what is asked of the read models, and commands with their outcomes."""

"""The process behind a stack: what it starts, watches, restarts and stops."""

"""The supervisor of a stack: it starts, watches, restarts and stops the processes."""

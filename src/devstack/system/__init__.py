"""The machine: processes by identity, and loopback ports."""

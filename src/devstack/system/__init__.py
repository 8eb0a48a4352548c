"""The machine: process identity and loopback ports."""

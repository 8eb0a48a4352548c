"""The wire formats: commands, events and dead letters as bytes and as JSON."""

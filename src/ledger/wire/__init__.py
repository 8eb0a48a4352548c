"""What crosses the wire: commands, events and dead letters as bytes and as JSON."""

"""Forms for commands, from the fields of their classes: read, and shown."""

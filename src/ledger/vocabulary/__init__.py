"""What may be said: commands and events, the records they are made of, and their limits."""

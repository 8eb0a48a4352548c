"""Reports of the commands, for people and as JSON."""

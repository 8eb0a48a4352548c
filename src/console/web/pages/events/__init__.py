"""The events: a search, one event with its proof, and the dead letters."""

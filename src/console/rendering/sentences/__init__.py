"""One sentence per event, for people."""

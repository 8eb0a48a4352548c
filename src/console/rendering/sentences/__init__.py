"""One sentence an event, for people who follow what happens."""

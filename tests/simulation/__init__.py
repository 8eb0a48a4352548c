"""The deterministic simulation: the real handlers in a world whose mishaps come from a seed."""

"""The overview: what waits, what is on its way, and the books."""

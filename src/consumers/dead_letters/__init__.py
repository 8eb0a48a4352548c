"""Dead letters: what cannot be read is set aside, given back, or closed."""

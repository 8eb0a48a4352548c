"""Every state that a thing can be in, brought about by a story, and every command asked of it."""

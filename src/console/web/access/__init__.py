"""Who asks, and whether they may: people, sessions, tokens, and the routes of the access matrix."""

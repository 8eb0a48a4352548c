"""Acts above a limit wait for a second person: which do, and what became of them."""

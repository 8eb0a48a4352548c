"""What the reactions were to do: each check finds what is left undone."""

"""Sandboxes: the same handlers with time that is moved by hand, in memory and on a real stack."""

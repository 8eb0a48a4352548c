"""Sandboxes: the same handlers with a clock that is set by hand, in memory or on a real stack."""

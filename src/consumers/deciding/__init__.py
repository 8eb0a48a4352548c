"""Deciding: commands in, events out, by the one writer of each partition."""

"""What can keep an extract from being written as asked."""

from __future__ import annotations


class CannotBeWritten(Exception):
    """The format cannot hold these rows, or needs what is not installed; the message says which."""

"""The error of an extract that cannot be written."""

from __future__ import annotations


class CannotBeWritten(Exception):
    """The format cannot hold these rows, or a package is not installed; the message says which."""

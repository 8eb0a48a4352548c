"""The error of the embedded stack that people see: a sentence that names the next step."""

from __future__ import annotations


class DevstackError(Exception):
    """What failed, and what to do next; the message is printed unchanged."""

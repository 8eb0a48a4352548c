"""The one error a person sees from the embedded stack: a sentence that names the next step."""

from __future__ import annotations


class DevstackError(Exception):
    """What went wrong with which thing, and what to do next; meant to be printed as it is."""

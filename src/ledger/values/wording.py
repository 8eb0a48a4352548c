"""Sentences about values that cannot be taken: templates, which a catalogue has as its keys."""

from __future__ import annotations

from typing import NewType

Wording = NewType("Wording", str)
"""What a value must be, or what is wrong with it: a finished sentence, made by `worded`."""


def worded(template: str, /, **values: object) -> Wording:
    """A template with the names of its values in braces, filled. It must stand in the call as it
    is. `what` and `why` are values that are such sentences themselves.
    """
    return Wording(template.format(**values))


def seen(template: str, /, **values: object) -> str:
    """The same for what was found, where that is not what was given: `nothing`, `3 items`."""
    return template.format(**values)

"""How a bug is planted: something of the code is put in another's place, and back afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct


class Mutant(Struct, frozen=True, kw_only=True):
    """A named bug: the rule it breaks, and how it is planted."""

    name: str
    rule: str
    plant: Callable[[Patch], None]


class Patch:
    """What was put in place of what."""

    def __init__(self) -> None:
        self._standing: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, other: Any) -> Any:
        """Put something in the place of an attribute; what was there."""
        standing = vars(owner)[name]
        self._standing.append((owner, name, standing))
        setattr(owner, name, other)
        return standing

    def undo(self) -> None:
        """Everything as it was."""
        for owner, name, standing in reversed(self._standing):
            setattr(owner, name, standing)
        self._standing.clear()


def mutant(plant: Callable[[Patch], None]) -> Mutant:
    """The mutant of a function: its name, its docstring's rule, and what it does."""
    name = plant.__name__.strip("_").replace("_", " ")
    return Mutant(name=name, rule=(plant.__doc__ or "").strip(), plant=plant)

"""Sentences in another language: found again by the finished English ones.

An event has the sentence of a violated rule and the figures that were compared. Filling each
sentence of the catalogue with these figures shows which one it was, and what it says besides. What
is wrong with a field has no figures: all its values are found in the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from string import Formatter
from types import MappingProxyType

from msgspec import Struct

Words = Callable[[str], str]
_CODES = frozenset(
    {
        "account_type", "allowed", "billing", "command", "invoice_state", "method", "names", "noun",
        "pays_by", "product_kind", "role", "state",
    }
)  # fmt: skip
"""Values that are codes or names, not ids or figures: they have words."""
_BETWEEN = re.compile(r", | or ")
_SENTENCES = frozenset({"what", "why"})
"""Values that are such sentences themselves."""
_NONE: Mapping[str, str] = MappingProxyType({})


class Template(Struct, frozen=True, kw_only=True, dict=True):
    """A sentence with the names of its values in braces."""

    text: str

    @cached_property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What is said before each value, and the value's name; the last part may have none."""
        return tuple((said, name or "") for said, name, _, _ in Formatter().parse(self.text))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its values."""
        return frozenset(name for _, name in self.parts if name)

    @property
    def length(self) -> int:
        """How much it says beside its values."""
        return sum(len(said) for said, _ in self.parts)

    def values(self, message: str, figures: Mapping[str, str]) -> dict[str, str] | None:
        """The values with which it is the message; None if it is with none. `figures` are some."""
        (head, _), (said, name) = self.parts[0], self.parts[-1]
        if not message.startswith(head) or not message.endswith("" if name else said):
            return None
        known = {name: figures[name] for name in self.names if name in figures}
        if len(known) == len(self.names):
            return known if self.text.format(**known) == message else None
        found = re.fullmatch(self._pattern(known), message, re.DOTALL)
        return None if found is None else known | found.groupdict()

    def _pattern(self, known: Mapping[str, str]) -> str:
        sought: set[str] = set()
        pattern = ""
        for said, name in self.parts:
            pattern += re.escape(said)
            if name in known:
                pattern += re.escape(known[name])
            elif name:
                pattern += f"(?P={name})" if name in sought else f"(?P<{name}>.+?)"
                sought.add(name)
        return pattern


class Reasons:
    """The sentences of a language, from a catalogue."""

    def __init__(self, templates: Iterable[str], words: Words, comma: str) -> None:
        """The templates in English; their words, and those for codes; what stands in lists."""
        found = (Template(text=each) for each in templates)
        self._templates = sorted(found, key=lambda each: -each.length)
        self._words = words
        self._comma = comma

    def said(self, message: str, figures: Mapping[str, str] = _NONE) -> str:
        """The sentence in the language; the message itself where it is of no known template."""
        return self._said(message, figures) or message

    def _said(self, message: str, figures: Mapping[str, str]) -> str | None:
        """The first that fits. The most telling ones come first, and what is a sentence in it must
        fit as well.
        """
        for template in self._templates:
            values = template.values(message, figures)
            if values is None:
                continue
            told = {name: self._told(name, text, figures) for name, text in values.items()}
            if None not in told.values():
                return self._words(template.text).format(**told)
        return None

    def _told(self, name: str, text: str, figures: Mapping[str, str]) -> str | None:
        if name in _SENTENCES:
            return self._said(text, figures)
        if name not in _CODES:
            return text
        return self._comma.join(map(self._words, _BETWEEN.split(text)))

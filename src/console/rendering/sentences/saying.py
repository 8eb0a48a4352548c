"""How sentences are said: templates with values by name, in English or in another language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct


class Saying(Struct, frozen=True, kw_only=True):
    """A language: its words for a template or a code, what stands between the parts of a list and
    between clauses, and its sentence for a violated rule by the English one and the figures.
    `expected` and `found` are its sentences for a field that cannot be taken, by the English ones.
    """

    translated: Callable[[str], str]
    comma: str
    semicolon: str
    because: Callable[[str, Mapping[str, str]], str]
    expected: Callable[[str], str]
    found: Callable[[str], str]

    def said(self, template: str, **values: object) -> str:
        """A sentence: the template's words, with its values in their places."""
        return self.translated(template).format(**values)

    def word(self, code: str) -> str:
        """The word for a code, a state, or a name."""
        return self.translated(code)

    def listed(self, parts: Iterable[str]) -> str:
        """Parts of a list."""
        return self.comma.join(parts)

    def clauses(self, parts: Iterable[str]) -> str:
        """Sentences in one."""
        return self.semicolon.join(parts)


ENGLISH = Saying(
    translated=str,
    comma=", ",
    semicolon="; ",
    because=lambda message, _: message,
    expected=str,
    found=str,
)
"""As the log and the terminal say it."""

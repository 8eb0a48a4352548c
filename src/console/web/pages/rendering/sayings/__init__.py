"""How events, violated rules and faults of fields are said in the language of whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from fastapi import Request

from console.rendering.sentences.saying import ENGLISH, Saying
from console.web.pages.rendering.languages import (
    WORDS,
    accepted_language,
    language_of,
    messages,
    translations,
)
from console.web.pages.rendering.sayings.reasons import Reasons

_COMMA, _SEMICOLON = "，", "；"
OF_RULES, OF_EXPECTED, OF_FOUND = "rules_said.po", "expected_said.po", "found_said.po"
"""The catalogues with the sentences of violated rules, and with those of what is expected of a
field and what was found there, and no others.
"""


def saying_of(request: Request) -> Saying:
    """In the language of the page."""
    return saying_in(language_of(request))


def accepted_saying(request: Request) -> Saying:
    """In the language that a program asks for, by its header alone."""
    return saying_in(accepted_language(request))


@cache
def saying_in(language: str) -> Saying:
    """In a language: English is what is recorded, another one has catalogues."""
    if language == "en":
        return ENGLISH
    gettext = translations(language).gettext

    def words(text: str) -> str:
        """A name of several words is spelled with underscores or with spaces."""
        if not text:  # gettext has the head of its catalogue under it
            return ""
        found = gettext(text)
        return found if found != text else gettext(text.replace("_", " "))

    def found_again(catalogue: str) -> Callable[..., str]:
        templates = [str(each.id) for each in messages(WORDS / language / catalogue)]
        return Reasons(templates, words, _COMMA).said

    return Saying(
        translated=words,
        comma=_COMMA,
        semicolon=_SEMICOLON,
        because=found_again(OF_RULES),
        expected=found_again(OF_EXPECTED),
        found=found_again(OF_FOUND),
    )

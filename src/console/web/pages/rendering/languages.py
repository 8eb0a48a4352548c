"""The words of the pages in two languages: English in the templates, Chinese in catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import Request

LANGUAGES = {"en": "English", "zh": "中文"}
WORDS = Path(__file__).parent / "words"
_LONGEST_HEADER = 1_000


def N_(word: str) -> str:
    """A word of a program, to be translated where a template shows it by the filter `word`."""
    return word


def language_of(request: Request) -> str:
    """The language of the address, of the cookie, of the browser; English otherwise."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    if asked in LANGUAGES:
        return asked
    return accepted_language(request)


def accepted_language(request: Request) -> str:
    """The language that a browser or program accepts; English otherwise."""
    wanted = _wanted(request.headers.get("Accept-Language", ""))
    found = negotiate_locale(wanted, list(LANGUAGES), sep="-")
    return found or negotiate_locale([each[:2] for each in wanted], list(LANGUAGES)) or "en"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogues of a language as gettext uses them: they are read once, as they stand."""
    whole = Catalog(locale=language)
    for path in catalogues(language):
        for message in messages(path):
            whole.add(message.id, message.string)
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogues(language: str) -> list[Path]:
    """The files with a language's words: one for each room, so that each grows alone."""
    return sorted((WORDS / language).glob("*.po"))


def messages(path: Path) -> Iterator[Message]:
    """The words of a file, without its head."""
    with path.open("rb") as file:
        yield from (each for each in read_po(file) if each.id)


def _wanted(header: str) -> list[str]:
    """`zh-CN,en;q=0.5` → the languages, the most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in header[:_LONGEST_HEADER].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name))
        except ValueError:
            continue
    return [name for _, name in sorted(weighed, key=lambda each: each[0])]

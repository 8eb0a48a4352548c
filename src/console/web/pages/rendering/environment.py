"""The environment of the templates, one for each language and look."""

from __future__ import annotations

import re
from functools import cache, partial
from gettext import NullTranslations
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct

from console.rendering.reports.eligibility import brings_told, conditions_told
from console.rendering.reports.reasons import why_told
from console.rendering.sentences.events import sentence
from console.web.pages.rendering.languages import LANGUAGES, translations
from console.web.pages.rendering.links import (
    account_path,
    address,
    purchase_path,
    quoted,
    refund_path,
)
from console.web.pages.rendering.sayings import saying_in

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent.parent / "templates"
HIDDEN = "•••"
_FIGURES = re.compile(r"\d[\d.,]*")


class Look(Struct, frozen=True, kw_only=True):
    """How the application was started: whether it takes nothing, whether it hides amounts."""

    read_only: bool = False
    incognito: bool = False


@cache
def environment(language: str, look: Look) -> Environment:
    """The templates with the words of a language.

    Filters: `amount` for an amount, and `figures` for a sentence that names some; both are hidden
    where the look says so. `word` for a code or a name of a column or list, `instant` for RFC 3339,
    `quoted` for an id in a path. `told` for an event, `because` for a violated rule, `brings` and
    `conditions` for an act, in the sentences of the language.
    """
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_translations(  # type: ignore[attr-defined]
        translations(language), newstyle=True
    )
    found.filters["word"] = partial(_word, translations(language))
    found.filters["instant"] = _instant
    found.filters["amount"] = _hidden if look.incognito else _shown
    found.filters["figures"] = _without_figures if look.incognito else _shown
    found.filters["quoted"] = quoted
    say = saying_in(language)
    found.filters["told"] = partial(sentence, say=say)
    found.filters["because"] = partial(why_told, say=say)
    found.filters["brings"] = partial(brings_told, say=say)
    found.filters["conditions"] = partial(conditions_told, say=say)
    found.globals.update(
        look=look,
        languages=LANGUAGES,
        account_path=account_path,
        refund_path=refund_path,
        purchase_path=purchase_path,
        address=address,
    )
    return found


def _shown(text: object) -> object:
    return "" if text is None else text


def _word(words: NullTranslations, text: object) -> str:
    """A word that stands in no template, such as a state; gettext has its head under no word."""
    return words.gettext(str(text)) if text else ""


def _instant(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")


def _hidden(text: object) -> object:
    return HIDDEN if text not in {None, ""} else ""


def _without_figures(text: object) -> object:
    return _FIGURES.sub(HIDDEN, "" if text is None else str(text))

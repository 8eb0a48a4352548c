"""What may be done with an account, and would bring, if a number of the terms were another."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from msgspec import Struct

from console.explaining.eligibility import eligibility_in
from console.explaining.folded_accounts import FoldedAccount
from console.rendering.reports.eligibility import (
    Eligibility,
    brings_told,
    conditions_told,
    eligibility_to_json,
)
from console.rendering.sentences.saying import ENGLISH, Saying
from console.terminal.errors import BadInput
from ledger.rulebook import Rule
from ledger.terms.table import Terms, TermsTable, overridden, section_of
from ledger.values.instants import Instant, format_instant

_VERSION = "what-if"
_OF_THE_VERSION = frozenset({"version", "effective_from"})


class Told(Struct, frozen=True, kw_only=True):
    """One act: whether it may be done, what it would bring, and what stands in the way."""

    may: bool
    brings: str
    why: str


class Changed(Struct, frozen=True, kw_only=True):
    """An act that would be judged otherwise: as it is, and as it would be."""

    kind: str
    id: str
    act: str
    now: Told
    then: Told


class WhatIf(Struct, frozen=True, kw_only=True):
    """Every act that changes, and how many were compared."""

    at: Instant
    changed: tuple[Changed, ...]
    compared: int


def numbers_to_change(rule: Rule, terms: Terms) -> tuple[str, ...]:
    """The numbers of a rule that can be tried: those that are one value."""
    return tuple(
        name
        for name in rule.terms
        if name not in _OF_THE_VERSION and isinstance(getattr(terms, name), int | str | Fraction)
    )


def what_if(
    found: FoldedAccount,
    terms: TermsTable,
    name: str,
    text: str,
    usd_rate: str | None,
    say: Saying = ENGLISH,
) -> WhatIf:
    """Compare what may be done now with what might be done by another number.

    Only the judgement of now is another: what was decided before stays as it was. Raises BadInput
    for a number that the terms cannot have, and as `eligibility_in` does.
    """
    other = with_number(terms, found.place.now, name, text)
    now = eligibility_in(found, terms, usd_rate=usd_rate)
    then = eligibility_in(found, other, usd_rate=usd_rate)
    before, after = _acts(now, say), _acts(then, say)
    return WhatIf(
        at=now.at,
        changed=tuple(
            Changed(kind=key[0], id=key[1], act=key[2], now=before[key], then=after[key])
            for key in before
            if key in after and before[key] != after[key]
        ),
        compared=len(before),
    )


def with_number(terms: TermsTable, at: Instant, name: str, text: str) -> TermsTable:
    """The terms with one other number from an instant on. BadInput says what it may be."""
    section = section_of(name)
    whole = text.isascii() and text.isdecimal() and isinstance(getattr(terms.at(at), name), int)
    usd = name.endswith("_usd")
    value = text if whole and not usd else json.dumps(text, ensure_ascii=True)
    lines = [
        f'version = "{_VERSION}"',
        f"effective_from = {format_instant(at)}",
        *([f"[{section}]"] if section else []),
        f"{name} = {value}",
    ]
    try:
        return overridden(terms, "\n".join(lines))
    except ValueError as error:
        raise BadInput(str(error)) from error


def _acts(found: Eligibility, say: Saying) -> dict[tuple[str, str, str], Told]:
    told: dict[str, Any] = eligibility_to_json(found)
    return {
        (thing["kind"], thing["id"], act["act"]): Told(
            may=act["may"],
            brings=brings_told(act, say),
            why=say.clauses(conditions_told(act, say)),
        )
        for thing in told["things"]
        for act in thing["acts"]
    }

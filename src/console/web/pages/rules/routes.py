"""`/rules`: the rulebook; `/rules/NAME`: one rule, its numbers by version, and what-if."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct

from console.explaining.what_if import WhatIf, numbers_to_change, what_if
from console.rendering.sentences.saying import Saying
from console.terminal.errors import BadInput
from console.web.api.queries import Asked, instant_of
from console.web.backend import Backend
from console.web.pages.rendering import AskedPast, page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.sayings import saying_of
from console.web.problems import Problem
from consumers.clock import WallClock
from ledger.rulebook import RULES, Rule
from ledger.rulebook.numbers import numbers
from ledger.terms.table import Terms
from ledger.values.instants import Instant, format_instant
from projector.asking.queries import UnknownAccount

router = APIRouter(tags=["pages"], include_in_schema=False)


class Number(Struct, frozen=True, kw_only=True):
    """A number of a rule as a person writes it: one text, or a table of several."""

    name: str
    text: str
    parts: tuple[tuple[str, str], ...] = ()


class Version(Struct, frozen=True, kw_only=True):
    """A version of the terms, with a rule's numbers."""

    version: str
    effective_from: str
    numbers: tuple[Number, ...]
    in_force: bool
    changed: frozenset[str]


@router.get("/rules", dependencies=[Depends(stand)])
def rule_list(request: Request, backend: Asked, past: AskedPast) -> HTMLResponse:
    """Every rule with its source, its numbers in force and its refusal codes."""
    terms = backend.terms.at(_at(backend, past.as_of))
    rules = [(rule, numbers_of(rule, terms)) for rule in RULES.values()]
    return page(request, "rules/rules.html", rules=rules, terms=terms.version, past=past)


@router.get("/rules/{name}", dependencies=[Depends(stand)])
def one_rule(
    request: Request,
    backend: Asked,
    past: AskedPast,
    name: str,
    account: Annotated[str, Query()] = "",
    number: Annotated[str, Query()] = "",
    value: Annotated[str, Query()] = "",
    usd_rate: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """A rule, its numbers in every version of the terms, and what another number would change."""
    rule = RULES.get(name)
    if rule is None:
        raise Problem(404, "Not found", f"there is no rule {name!r}")
    terms = backend.terms.at(_at(backend, past.as_of))
    tried, wrong = None, ""
    if account or value:
        try:
            found = (account.strip(), number, value.strip(), usd_rate.strip() or None)
            tried = _tried(backend, rule, terms, *found, saying_of(request))
        except (BadInput, UnknownAccount) as error:
            wrong = str(error.args[0])
    return page(
        request,
        "rules/rule.html",
        400 if wrong else 200,
        rule=rule,
        versions=_versions(rule, backend, terms),
        to_change=[
            (each, _text(numbers(rule, terms)[each])) for each in numbers_to_change(rule, terms)
        ],
        asked={"account": account, "number": number, "value": value, "usd_rate": usd_rate},
        tried=tried,
        at="" if tried is None else format_instant(tried.at),
        wrong=wrong,
        past=past,
    )


def numbers_of(rule: Rule, terms: Terms) -> tuple[Number, ...]:
    """The numbers that a rule takes from a version of the terms."""
    return tuple(_number(name, value) for name, value in numbers(rule, terms).items())


def _tried(
    backend: Backend,
    rule: Rule,
    terms: Terms,
    account: str,
    number: str,
    value: str,
    usd_rate: str | None,
    say: Saying,
) -> WhatIf:
    if number not in numbers_to_change(rule, terms):
        raise BadInput(f"number: {number!r} is no number of rule {rule.name} that can be tried")
    if not value:
        raise BadInput("value: write the other number")
    with backend.folded.folded(backend.connection, account) as found:
        return what_if(found, backend.terms, number, value, usd_rate, say)


def _versions(rule: Rule, backend: Backend, in_force: Terms) -> list[Version]:
    """The newest first; each with the numbers that it changed."""
    found: list[Version] = []
    before: Terms | None = None
    for terms in backend.terms.versions:
        found.append(
            Version(
                version=terms.version,
                effective_from=format_instant(terms.effective_from),
                numbers=numbers_of(rule, terms),
                in_force=terms == in_force,
                changed=frozenset(
                    name
                    for name in rule.terms
                    if before is not None and getattr(before, name) != getattr(terms, name)
                ),
            )
        )
        before = terms
    return found[::-1]


def _at(backend: Backend, as_of: str) -> Instant:
    """The instant asked about, or the present, which in a sandbox is where its clock stands."""
    asked = instant_of("as_of", as_of or None)
    if asked is not None:
        return asked
    stands = backend.sandbox_at()
    return WallClock().now() if stands is None else stands


def _number(name: str, value: object) -> Number:
    if isinstance(value, dict):
        parts = tuple((str(key), str(part)) for key, part in sorted(value.items()))
        return Number(name=name, text="", parts=parts)
    return Number(name=name, text=_text(value))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

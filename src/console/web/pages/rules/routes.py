"""`/rules`: the rulebook; `/rules/NAME`: one rule, its numbers by version, and what-if."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct

from console.explaining.what_if import numbers_to_change
from console.terminal.errors import BadInput
from console.web.api.bookkeeping.rules import rule_of, terms_in_force, versions_of
from console.web.api.bookkeeping.rules import tried as tried_of
from console.web.api.queries import Asked
from console.web.pages.rendering import AskedPast, page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.sayings import saying_of
from ledger.rulebook import RULES, Rule
from ledger.rulebook.numbers import numbers
from ledger.terms.table import Terms
from ledger.values.instants import format_instant
from projector.asking.queries import UnknownAccount

router = APIRouter(tags=["pages"], include_in_schema=False)


class Number(Struct, frozen=True, kw_only=True):
    """A number of a rule as a person writes it: one text, or a table of several."""

    name: str
    text: str
    parts: tuple[tuple[str, str], ...] = ()


@router.get("/rules", dependencies=[Depends(stand)])
def rule_list(request: Request, backend: Asked, past: AskedPast) -> HTMLResponse:
    """Every rule with its source, its numbers in force and its refusal codes."""
    terms = terms_in_force(backend, past.as_of or None)
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
    rule, terms = rule_of(name), terms_in_force(backend, past.as_of or None)
    tried, wrong = None, ""
    if account or value:
        try:
            found = (account.strip(), number, value.strip(), usd_rate.strip() or None)
            tried = tried_of(backend, rule, terms, *found, saying_of(request))
        except (BadInput, UnknownAccount) as error:
            wrong = str(error.args[0])
    return page(
        request,
        "rules/rule.html",
        400 if wrong else 200,
        rule=rule,
        versions=[(each, _numbers(each.numbers)) for each in versions_of(rule, backend, terms)],
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
    return _numbers(numbers(rule, terms))


def _numbers(found: dict[str, object]) -> tuple[Number, ...]:
    return tuple(_number(name, value) for name, value in found.items())


def _number(name: str, value: object) -> Number:
    if isinstance(value, dict):
        parts = tuple((str(key), str(part)) for key, part in sorted(value.items()))
        return Number(name=name, text="", parts=parts)
    return Number(name=name, text=_text(value))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""`/v1/rules`: the rulebook with its numbers by version, and what another number would change."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct

from console.explaining.what_if import WhatIf, numbers_to_change, what_if
from console.rendering.sentences.saying import ENGLISH, Saying
from console.terminal.errors import BadInput
from console.web.api.openapi import json_answer
from console.web.api.queries import Asked, instant_of
from console.web.backend import Backend
from console.web.problems import Problem
from consumers.clock import WallClock
from ledger.rulebook import RULES, Rule
from ledger.rulebook.numbers import numbers
from ledger.terms.table import Terms
from ledger.values.instants import Instant, format_instant

router = APIRouter(prefix="/v1/rules", tags=["rules"])
_AS_OF = "The numbers in force at that instant (RFC 3339); at present without it."
_RATE = "US dollars for one unit of the account's currency, where a cap in dollars is compared."
AsOf = Annotated[str | None, Query(description=_AS_OF, examples=["2026-01-31T00:00:00Z"])]


class Version(Struct, frozen=True, kw_only=True):
    """A version of the terms, with a rule's numbers, and which of these it changed."""

    version: str
    effective_from: str
    numbers: dict[str, object]
    in_force: bool
    changed: frozenset[str]


@router.get("", responses={200: json_answer("Rules", "In the order of the rulebook.")})
def rules(backend: Asked, as_of: AsOf = None) -> dict[str, Any]:
    """Every rule with its source, its numbers in force, and what it refuses with."""
    terms = terms_in_force(backend, as_of)
    return {
        "terms": terms.version,
        "rules": [_rule_to_json(rule, terms) for rule in RULES.values()],
    }


@router.get("/{name}", responses={200: json_answer("Rule", "The newest version first.")})
def one_rule(name: str, backend: Asked, as_of: AsOf = None) -> dict[str, Any]:
    """A rule with its numbers in every version of the terms, and those that can be tried."""
    rule, terms = rule_of(name), terms_in_force(backend, as_of)
    return {
        **_rule_to_json(rule, terms),
        "terms": terms.version,
        "versions": [
            {
                "version": each.version,
                "effective_from": each.effective_from,
                "in_force": each.in_force,
                "numbers": _plain(each.numbers),
                "changed": sorted(each.changed),
            }
            for each in versions_of(rule, backend, terms)
        ],
        "to_try": list(numbers_to_change(rule, terms)),
    }


@router.get(
    "/{name}/what-if", responses={200: json_answer("WhatIf", "What would be judged otherwise.")}
)
def what_if_another(
    name: str,
    backend: Asked,
    account: Annotated[str, Query(description="Whose things are judged.")],
    number: Annotated[str, Query(description="One of `to_try`.", examples=["termination_fee"])],
    value: Annotated[str, Query(description="The other number.", examples=["0.10"])],
    usd_rate: Annotated[str | None, Query(description=_RATE, examples=["0.137"])] = None,
) -> dict[str, Any]:
    """What may be done now with the things of an account, and what might be by another number."""
    rule, terms = rule_of(name), terms_in_force(backend, None)
    found = tried(backend, rule, terms, account, number, value, usd_rate)
    return {
        "at": format_instant(found.at),
        "compared": found.compared,
        "changed": [msgspec.to_builtins(each) for each in found.changed],
    }


def rule_of(name: str) -> Rule:
    """The rule of a name. Problem where there is none."""
    if name not in RULES:
        raise Problem(404, "Not found", f"there is no rule {name!r}")
    return RULES[name]


def terms_in_force(backend: Backend, as_of: str | None) -> Terms:
    """The terms at an instant, or at present, which in a sandbox is where its clock stands."""
    at: Instant | None = backend.sandbox_at() if as_of is None else instant_of("as_of", as_of)
    return backend.terms.at(WallClock().now() if at is None else at)


def versions_of(rule: Rule, backend: Backend, in_force: Terms) -> list[Version]:
    """The newest first; each with the numbers that it changed."""
    found: list[Version] = []
    before: Terms | None = None
    for terms in backend.terms.versions:
        found.append(
            Version(
                version=terms.version,
                effective_from=format_instant(terms.effective_from),
                numbers=numbers(rule, terms),
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


def tried(
    backend: Backend,
    rule: Rule,
    terms: Terms,
    account: str,
    number: str,
    value: str,
    usd_rate: str | None,
    say: Saying = ENGLISH,
) -> WhatIf:
    """What another number of a rule would change. Raises BadInput, and UnknownAccount."""
    if number not in numbers_to_change(rule, terms):
        raise BadInput(f"number: {number!r} is no number of rule {rule.name} that can be tried")
    if not value:
        raise BadInput("value: write the other number")
    with backend.folded.folded(backend.connection, account) as found:
        return what_if(found, backend.terms, number, value, usd_rate, say)


def _rule_to_json(rule: Rule, terms: Terms) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "says": rule.says,
        "source": rule.source,
        "kinds": [kind.value for kind in rule.kinds],
        "codes": [code.value for code in rule.codes],
        "commands": list(rule.commands),
        "numbers": _plain(numbers(rule, terms)),
    }


def _plain(found: dict[str, object]) -> dict[str, Any]:
    """Numbers as JSON has them; a table's entries as texts."""
    return {
        name: {str(key): str(part) for key, part in sorted(value.items())}
        if isinstance(value, dict)
        else value
        for name, value in found.items()
    }

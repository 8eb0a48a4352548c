"""Tells violated rules and workings line by line, so that a sum can be redone by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from console.rendering.sentences.saying import ENGLISH, Saying

Json = dict[str, Any]

AMOUNTS = (
    "gross", "fee", "amount", "parts", "cap", "returned_total", "purchased_total", "payable",
    "remaining_commitment", "currency",
)  # fmt: skip
"""What the body of a quote, a refund or an exchange says of money."""


def amounts_of(body: Json) -> Json:
    """The amounts in the body of an event."""
    return {name: body[name] for name in AMOUNTS if name in body}


def in_words(violations: Iterable[Json], say: Saying) -> list[Json]:
    """The violated rules with their sentences as a language says them."""
    return [each | {"message": why_told(each, say)} for each in violations]


def why_told(violation: Mapping[str, Any], say: Saying) -> str:
    """The sentence alone, as a language says it."""
    return say.because(violation["message"], violation["figures"])


def violation_told(violation: Json, say: Saying = ENGLISH) -> str:
    """The code, the rule and the sentence."""
    return say.said(
        "{code} by {rule}: {why}",
        code=say.word(violation["code"]),
        rule=violation["rule"],
        why=why_told(violation, say),
    )


def violation_lines(violations: Iterable[Json]) -> Iterator[str]:
    """Each with its figures beneath."""
    for each in violations:
        yield violation_told(each)
        if each["figures"]:
            yield f"  {pairs(each['figures'])}"


def working_lines(steps: Iterable[Json]) -> Iterator[str]:
    """Each step with its inputs and its rounding."""
    for number, step in enumerate(steps, start=1):
        yield f"{number}. {step['step']} = {step['result']}"
        inputs = {name: text for name, text in step["inputs"].items() if name != "rounding"}
        if inputs:
            yield f"   from {pairs(inputs)}"
        if rounding := step["inputs"].get("rounding"):
            yield f"   rounded {rounding}"


def pairs(values: Json, say: Saying = ENGLISH) -> str:
    """Names and values on one line."""
    return say.listed(f"{say.word(name)} {_plain(value, say)}" for name, value in values.items())


def _plain(value: Any, say: Saying) -> str:
    match value:
        case bool():
            return say.word("yes" if value else "no")
        case dict():
            return f"({pairs(value, say)})"
        case list():
            return f"({say.clauses(_plain(each, say) for each in value)})"
        case _:
            return str(value)

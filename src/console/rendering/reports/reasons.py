"""Tells violated rules and workings line by line, so that a sum can be redone by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]

AMOUNTS = (
    "gross", "fee", "amount", "parts", "cap", "returned_total", "purchased_total", "payable",
    "remaining_commitment", "currency",
)  # fmt: skip
"""What the body of a quote, a refund or an exchange says of money."""


def amounts_of(body: Json) -> Json:
    """The amounts in the body of an event."""
    return {name: body[name] for name in AMOUNTS if name in body}


def violation_told(violation: Json) -> str:
    """The code, the rule and the sentence."""
    return f"{violation['code']} by {violation['rule']}: {violation['message']}"


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


def pairs(values: Json) -> str:
    """Names and values on one line."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return f"({pairs(value)})"
        case list():
            return f"({'; '.join(_plain(each) for each in value)})"
        case _:
            return str(value)

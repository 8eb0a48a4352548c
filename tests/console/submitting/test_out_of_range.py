"""A value out of range never becomes a wrong number: exit 2, the field's name, nothing decided."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.console.submitting.test_bad_input import OPEN, TERM, assert_refused, simulated
from tests.console.virtual_terminal import Terminal

IN_DOLLARS = {
    **OPEN,
    "body": {"account_type": "CSP", "us_government": False, "currency": "USD"},
}
OWNER = {"id": "u-1", "role": "OWNER"}
ASKED = {
    **OPEN,
    "command": "QuoteReservationRefund",
    "id": "c-3",
    "actor": OWNER,
    "body": {"reservation_id": "r-1", "quantity": 1, "usd_rate": "1"},
}
LINE = "body.lines[0]"
STEPS = [{"from_hours": hours, "hourly": "0.063"} for hours in (0, 96, 96)]


def changed(raw: dict[str, Any], value: Any, *path: str | int) -> dict[str, Any]:
    """The command with one value, deep inside, set to another."""
    copied: Any = copy.deepcopy(raw)
    part = copied
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return dict(copied)


def order(value: Any, *path: str | int) -> list[Any]:
    return [OPEN, changed(TERM, value, "body", *path)]


def asked(value: Any, name: str) -> list[Any]:
    return [IN_DOLLARS, changed(ASKED, value, "body", name)]


CASES: dict[str, tuple[list[Any], str]] = {
    "negative paid": (order("-1.00", "lines", 0, "paid", "cash"), f"{LINE}.paid.cash: found"),
    "an amount beyond 64 bits": (
        order("92233720368547758.08", "lines", 0, "paid", "cash"),
        f"{LINE}.paid.cash: found",
    ),
    "a price beyond 64 bits": (
        order("9223372036854.775808", "lines", 0, "components", 0, "list_monthly"),
        f"{LINE}.components[0].list_monthly: found",
    ),
    "end before start": (order("2026-01-05T07:59:59Z", "ends_at"), "body.ends_at: found"),
    "end at start": (order(TERM["body"]["starts_at"], "ends_at"), "body.ends_at: found"),
    "a ladder that does not ascend": (
        order(STEPS, "lines", 0, "components", 0, "payg"),
        f"{LINE}.components[0].payg[2].from_hours: found",
    ),
    "a factor above 1": (
        order([{"from_months": 1, "factor": "1.000000000001"}], "lines", 0, "duration_discounts"),
        f"{LINE}.duration_discounts[0].factor: found",
    ),
    "a quantity of nothing": (asked(0, "quantity"), "body.quantity: found"),
    "a rate of 0": (asked("0", "usd_rate"), "body.usd_rate: found"),
    "a rate below 0": (asked("-1", "usd_rate"), "body.usd_rate: found"),
    "a dollar that is no dollar": (asked("1.1", "usd_rate"), "body.usd_rate: found"),
    "an unknown currency": (
        [changed(OPEN, "XXX", "body", "currency")],
        "body.currency: found",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_field_is_named(terminal: Terminal, tmp_path: Path, case: str) -> None:
    lines, expected = CASES[case]
    assert_refused(simulated(terminal, tmp_path, lines), f"line {len(lines)}, {expected}")


def test_all_of_it_is_good_but_for_its_fault(terminal: Terminal, tmp_path: Path) -> None:
    for lines in ([OPEN, TERM], [IN_DOLLARS, ASKED]):
        assert simulated(terminal, tmp_path, lines).code == 0

"""Every command has a defined outcome in every state, and the page of states tells them all."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from ledger.rulebook import RULES
from ledger.state.entities import (
    InstanceStatus,
    PurchaseStatus,
    RefundStatus,
    ReservationStatus,
)
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import COMMANDS, Command
from ledger.vocabulary.events import CommandRefused, Event
from tests.ledger.state.asked import ASKS, asked
from tests.ledger.state.reached import FAMILIES, PREPAID, REFUND, RESERVATION, SAAS, Family

STATES = [
    pytest.param(family, state, id=f"{family.name}-{state}")
    for family in FAMILIES
    for state in family.states
]
EVENTS_OR_CODES = re.compile(r"(\w+(, \w+)*)|(`[A-Z_]+`(, `[A-Z_]+`)*)")


@pytest.mark.parametrize(("family", "state"), STATES)
def test_every_command_is_answered_in_every_state(family: Family, state: str) -> None:
    for kind in COMMANDS.values():
        answer = asked(family.states[state](), kind)
        assert EVENTS_OR_CODES.fullmatch(answer), (kind.__name__, answer)


def test_every_command_is_asked() -> None:
    assert set(ASKS) == set(COMMANDS.values())


def test_every_command_is_that_of_some_family() -> None:
    assert {kind for family in FAMILIES for kind in family.commands} == set(COMMANDS.values())


@pytest.mark.parametrize(
    ("family", "statuses"),
    [
        (PREPAID, InstanceStatus),
        (SAAS, PurchaseStatus),
        (RESERVATION, ReservationStatus),
        (REFUND, RefundStatus),
    ],
)
def test_every_status_is_reached(family: Family, statuses: type[StrEnum]) -> None:
    first_words = {re.match(r"\w+", state)[0] for state in family.states}  # type: ignore[index]
    assert first_words == {status.value for status in statuses} | {"none"}


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_every_command_is_accepted_in_some_state_and_refused_in_another(
    kind: type[Command],
) -> None:
    families = [family for family in FAMILIES if kind in family.commands]
    answers = [asked(reach(), kind) for family in families for reach in family.states.values()]
    assert [answer for answer in answers if answer.startswith("`")]
    assert [answer for answer in answers if not answer.startswith("`")]


def test_the_state_codes_are_all_met() -> None:
    answers = " ".join(
        asked(reach(), kind)
        for family in FAMILIES
        for reach in family.states.values()
        for kind in family.commands
    )
    met = set(re.findall(r"`([A-Z_]+)`", answers))
    stoppers = list(Code)[: list(Code).index(Code.CURRENCY_MISMATCH)]
    assert {code.value for code in stoppers} - met == {"COMMAND_ID_REUSED", "FORBIDDEN"}


def test_every_violation_names_a_rule_of_the_rulebook_that_has_its_code() -> None:
    for family in FAMILIES:
        for reach in family.states.values():
            for kind in family.commands:
                s = reach()
                asked(s, kind)
                for violation in violations_in(s.outcome):
                    assert violation.code in RULES[violation.rule].codes, violation


def violations_in(outcome: tuple[Event, ...]) -> list[Violation]:
    return [
        each for body in outcome if isinstance(body, CommandRefused) for each in body.violations
    ]

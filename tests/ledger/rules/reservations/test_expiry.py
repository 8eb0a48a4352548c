"""Expiry: `ends_on` is exclusive; from its midnight in UTC nothing remains."""

from __future__ import annotations

import pytest

from ledger.state.entities import ReservationStatus
from ledger.values.instants import DAY, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    Command,
    ExpireReservation,
    SwapReservation,
    TransferReservation,
)
from ledger.vocabulary.events import ReservationExpired
from tests.ledger.rules.reservations.stories import (
    act,
    back,
    bought,
    by_support,
    exchange,
    holding,
    names,
    new,
    quote,
    quote_exchange,
    the_reservation,
)

END, LAST_MOMENT = "2027-01-05T00:00:00Z", "2027-01-04T23:59:59.999999Z"
EXPIRE = ExpireReservation(reservation_id="r-1")
BY_OWNER: list[Command] = [
    quote(),
    act(),
    quote_exchange((back(),), (new(40_000),)),
    exchange((back(),), (new(40_000),)),
    SwapReservation(reservation_id="r-1", sku="Standard_F1s"),
    TransferReservation(reservation_id="r-1", owners=("u-2",)),
]


def test_it_expires_as_of_midnight_however_late_the_timer_wakes() -> None:
    s = holding(bought(quantity=3)).at(parse_instant(END) + DAY)
    s.when(EXPIRE).then(ReservationExpired(reservation_id="r-1", quantity=3))
    assert s.facts[0].occurred_at == parse_instant(END)
    assert the_reservation(s).status is ReservationStatus.EXPIRED


def test_before_midnight_it_is_not_due() -> None:
    s = holding().at(LAST_MOMENT)
    violation = s.when(EXPIRE).refused(Code.NOT_DUE).violations[0]
    assert violation.figures == {"due_at": END, "now": LAST_MOMENT}
    assert names(s.at(END).when(EXPIRE)) == ["ReservationExpired"]


@pytest.mark.parametrize("command", BY_OWNER)
@pytest.mark.parametrize("timer_woke", [False, True])
def test_from_then_on_nothing_can_be_done(command: Command, timer_woke: bool) -> None:
    s = holding().at(END)
    if timer_woke:
        s.give(EXPIRE)
    violation = s.when(command).refused(Code.ALREADY_EXPIRED).violations[0]
    figures = {"reservation": "r-1", "ends_on": "2027-01-05", "today": "2027-01-05"}
    assert violation.figures == figures


@pytest.mark.parametrize("command", BY_OWNER)
def test_at_the_last_moment_it_can(command: Command) -> None:
    s = holding().at(LAST_MOMENT).when(command)
    assert Code.ALREADY_EXPIRED not in [
        violation.code for event in s.outcome for violation in getattr(event, "violations", ())
    ]


def test_what_was_given_back_does_not_expire_any_more() -> None:
    s = by_support(holding()).at(END)
    violation = s.when(EXPIRE).refused(Code.WRONG_STATE).violations[0]
    assert violation.figures == {"reservation": "r-1", "state": "CANCELLED"}


def test_it_expires_once() -> None:
    s = holding().at(END)
    s.give(EXPIRE, id="c-1")
    s.when(EXPIRE, id="c-1").then()
    s.when(EXPIRE).refused(Code.WRONG_STATE)

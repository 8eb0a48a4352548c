"""Properties: never twice, the cap recounted, and a quote that is the act."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.calculations.prorated_value import current_period
from ledger.state.entities import Reservation
from ledger.values.instants import DAY, Instant, day_of
from ledger.values.money import Minor
from ledger.vocabulary.events import RefundIssued, ReservationExchanged, ReservationRefundQuoted
from ledger.vocabulary.shapes import BillingPlan, Role, Side
from tests.ledger.rules.reservations.stories import (
    act,
    back,
    bought,
    by_support,
    exchange,
    holding,
    new,
    quote,
    the_reservation,
)
from tests.scenario import Scenario

HELD = st.tuples(
    st.integers(1, 10**7),
    st.integers(1, 7),
    st.sampled_from([12, 36]),
    st.sampled_from(BillingPlan),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["refund", "exchange", "quote"]),
        st.integers(0, 4),
        st.none() | st.integers(1, 4),
        st.integers(0, 60),
    ),
    max_size=20,
)


@settings(derandomize=True, deadline=None)
@given(held=st.tuples(HELD, HELD), steps=STEPS)
def test_never_more_than_paid_and_the_cap_recounts(
    held: tuple[tuple[Minor, int, int, BillingPlan], ...],
    steps: list[tuple[str, int, int | None, int]],
) -> None:
    s = holding(
        *(
            bought(total, f"r-{number}", quantity=quantity, months=months, plan=plan)
            for number, (total, quantity, months, plan) in enumerate(held)
        )
    )
    known = ["r-0", "r-1"]
    for name, which, quantity, days in steps:
        reservation_id = known[which % len(known)]
        s.later(days * DAY)
        match name:
            case "refund":
                by_support(s, reservation_id, quantity)
            case "exchange":
                fresh = new(10**7 + len(known), f"r-{len(known)}")
                s.give(exchange((back(reservation_id, quantity),), (fresh,)), role=Role.SUPPORT)
                known += [fresh.reservation_id] if isinstance(_first(s), _EXCHANGED) else []
            case _:
                _quote_is_the_act(s, reservation_id, quantity)
        _recounted(s)
    for reservation_id in known:
        _never_twice(s, reservation_id)
    _balanced(s)
    assert s.folded().entities() == s.state.entities()


_EXCHANGED = ReservationExchanged


def _first(s: Scenario) -> object:
    return s.outcome[0]


def _quote_is_the_act(s: Scenario, reservation_id: str, quantity: int | None) -> None:
    s.give(quote(reservation_id, quantity))
    found = _first(s)
    if not isinstance(found, ReservationRefundQuoted):
        return
    command = act(reservation_id, quantity, quote_id=found.quote_id, amount=found.amount)
    s.give(command)
    if found.violations:
        assert getattr(_first(s), "violations", ()) == found.violations
        return
    refund = next(body for body in s.outcome if isinstance(body, RefundIssued))
    assert (refund.gross, refund.fee, refund.amount) == (found.gross, found.fee, found.amount)
    assert (refund.parts, refund.cap, refund.working) == (found.parts, found.cap, found.working)


def _recounted(s: Scenario) -> None:
    naive = sum(
        event.body.cap.refund_usd
        for event in s.recorded
        if isinstance(event.body, RefundIssued)
        and event.body.cap is not None
        and s.now - event.meta.recorded_at < 365 * DAY
    )
    terms = s.terms.at(s.now)
    room = s.cap_room()
    assert room.consumed == naive <= terms.cap_usd
    assert room.left == terms.cap_usd - naive


def _never_twice(s: Scenario, reservation_id: str) -> None:
    """Refunds of each payment's period stay within that payment, and so within the total."""
    reservation = the_reservation(s, reservation_id)
    refunded: dict[int, Minor] = defaultdict(int)
    for at, value in _refunds(s, reservation_id):
        assert value >= 0
        refunded[current_period(reservation, day_of(at, "UTC")).number] += value
    for number, value in refunded.items():
        assert value <= _paid(reservation, number)
    assert sum(refunded.values()) == reservation.refunded <= reservation.total


def _refunds(s: Scenario, reservation_id: str) -> list[tuple[Instant, Minor]]:
    found = []
    for event in s.recorded:
        match event.body:
            case RefundIssued(source=source, gross=gross) if source.id == reservation_id:
                found.append((event.meta.recorded_at, gross))
            case ReservationExchanged(returned=legs):
                found += [
                    (event.meta.recorded_at, leg.value)
                    for leg in legs
                    if leg.reservation_id == reservation_id
                ]
            case _:
                pass
    return found


def _paid(reservation: Reservation, number: int) -> Minor:
    if reservation.billing_plan is BillingPlan.UPFRONT:
        return reservation.total
    months, total = reservation.term_months, reservation.total
    return (2 * total * number + months) // (2 * months) - (2 * total * (number - 1) + months) // (
        2 * months
    )


def _balanced(s: Scenario) -> None:
    signs = {Side.DEBIT: 1, Side.CREDIT: -1}
    for event in s.recorded:
        by_transaction: dict[int, Minor] = defaultdict(int)
        for line in getattr(event.body, "postings", ()):
            by_transaction[line.transaction] += signs[line.side] * line.amount
        assert not any(by_transaction.values())

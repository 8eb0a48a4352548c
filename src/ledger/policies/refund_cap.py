"""Refund cap: at most 50,000 US dollars of refunds in a rolling twelve months."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.calculations.refund_cap import counted
from ledger.policies.case import Case, Said, violation
from ledger.values.instants import format_instant
from ledger.values.money import format_minor
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import QuoteReservationRefund, RefundReservation


def refund_cap_exceeded(case: Case) -> Iterator[Violation]:
    """A refund above the rest of the cap is refused completely, also to support.

    Source: seed 003 (退款金额不能超过 12 个月滚动窗口中 50,000 美元). By hand: 45,000.00 refunded
    since last March; 5,000.00 more: accepted; 5,000.01: `REFUND_CAP_EXCEEDED`, consumed 45,000.00,
    limit 50,000.00, left 5,000.00, next release when the oldest of them is 365 days old.
    """
    if not isinstance(case.command, QuoteReservationRefund | RefundReservation):
        return
    assert case.figures is not None
    use, room = case.figures.cap, case.figures.cap_room
    assert use is not None
    assert room is not None
    asked = counted(use, case.terms.cap_basis)
    if asked <= room.left:
        return
    at, release = "none", 0
    if room.next_release_at is not None:
        at, release = format_instant(room.next_release_at), room.next_release
    yield violation(
        "refund_cap",
        Code.REFUND_CAP_EXCEEDED,
        Said(
            "{left_usd} USD is left of the yearly cap; give back less, or wait for the next release"
        ),
        refund_usd=format_minor(asked, "USD"),
        consumed_usd=format_minor(room.consumed, "USD"),
        limit_usd=format_minor(room.limit, "USD"),
        left_usd=format_minor(room.left, "USD"),
        basis=case.terms.cap_basis,
        next_release_at=at,
        next_release_usd=format_minor(release, "USD"),
    )

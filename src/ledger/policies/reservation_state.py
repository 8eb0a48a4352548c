"""Reservation state: which commands are possible for a reservation, and until when."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import NOTHING, Case, Said, violation
from ledger.state.entities import Reservation, ReservationStatus
from ledger.values.instants import day_of, format_day
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    Command,
    ExchangeReservations,
    ExpireReservation,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
    SwapReservation,
    TransferReservation,
)

RULE = "existence_and_state"


def acted_on(command: Command) -> tuple[str, ...]:
    """The reservations that an owner's command returns, changes or transfers, each once."""
    match command:
        case (
            QuoteReservationRefund(reservation_id=reservation_id)
            | RefundReservation(reservation_id=reservation_id)
            | SwapReservation(reservation_id=reservation_id)
            | TransferReservation(reservation_id=reservation_id)
        ):
            return (reservation_id,)
        case QuoteReservationExchange(returns=returns) | ExchangeReservations(returns=returns):
            return tuple(dict.fromkeys(one.reservation_id for one in returns))
        case _:
            return ()


def wrong_reservation_state(case: Case) -> Iterator[Violation]:
    """No command is possible after a reservation was returned completely; it expires only once.

    Source: seed 003's states. By hand: r-1 was exchanged; a refund of it: `WRONG_STATE`, figures
    state = EXCHANGED. Its expiry timer has the same result.
    """
    gone = (ReservationStatus.CANCELLED, ReservationStatus.EXCHANGED)
    for reservation_id in acted_on(case.command):
        state = case.the(Reservation, reservation_id).status
        if state in gone:
            yield _wrong(reservation_id, state, Said("nothing of it is held any more"))
    if isinstance(case.command, ExpireReservation):
        state = case.the(Reservation, case.command.reservation_id).status
        if state is not ReservationStatus.ACTIVE:
            yield _wrong(case.command.reservation_id, state, Said("only an active one expires"))


def already_expired(case: Case) -> Iterator[Violation]:
    """From `ends_on` on, from midnight UTC, nothing of a reservation remains.

    Source: seed 003. By hand: it ends on 10 Jul 2025; refunded 9 Jul 23:59:59 UTC: a day remains;
    at exactly 10 Jul 00:00: `ALREADY_EXPIRED`, even if the timer has not come yet.
    """
    for reservation_id in acted_on(case.command):
        today = day_of(case.now, "UTC")
        ends_on = case.the(Reservation, reservation_id).ends_on
        if today >= ends_on:
            yield violation(
                RULE,
                Code.ALREADY_EXPIRED,
                Said("reservation {reservation} ended on {ends_on}; nothing remains"),
                reservation=reservation_id,
                ends_on=format_day(ends_on),
                today=format_day(today),
            )


def _wrong(named: str, state: ReservationStatus, why: Said) -> Violation:
    said = Said("reservation {reservation} is {state}: {why}")
    return violation(RULE, Code.WRONG_STATE, said, NOTHING, why, reservation=named, state=state)

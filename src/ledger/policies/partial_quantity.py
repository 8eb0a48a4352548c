"""Partial quantity: no more is returned than is held."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Reservation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ExchangeReservations,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
)


def invalid_quantity(case: Case) -> Iterator[Violation]:
    """The returned quantity is more than 0 and at most the held quantity.

    Source: decided for this ledger (seed 003 allows to exchange a quantity). By hand: bought 10, 4
    returned; 6 more: accepted; 7: `INVALID_QUANTITY`, held = 6.
    """
    for reservation_id, quantity in _asked(case):
        held = case.the(Reservation, reservation_id).quantity
        if quantity is not None and not 0 < quantity <= held:
            yield violation(
                "partial_quantity",
                Code.INVALID_QUANTITY,
                Said("reservation {reservation}: {held} are held; give back from 1 to {held}"),
                reservation=reservation_id,
                quantity=str(quantity),
                held=str(held),
            )


def _asked(case: Case) -> list[tuple[str, int | None]]:
    command = case.command
    match command:
        case QuoteReservationRefund() | RefundReservation():
            return [(command.reservation_id, command.quantity)]
        case QuoteReservationExchange() | ExchangeReservations():
            return [(one.reservation_id, one.quantity) for one in command.returns]
        case _:
            return []

"""At least as much: an exchange commits to at least as much as it returns."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.money import format_minor
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import ExchangeReservations, QuoteReservationExchange


def new_total_too_low(case: Case) -> Iterator[Violation]:
    """Σ new lifetime totals ≥ Σ remaining commitment returned, without tax; equal is accepted.

    Source: seed 003 (新的购买总应等于或大于返回量). By hand: remaining commitment 2,350.00; a new
    total of 2,350.00: accepted; 2,349.99: `NEW_TOTAL_TOO_LOW`.
    """
    if not isinstance(case.command, QuoteReservationExchange | ExchangeReservations):
        return
    figures, currency = case.exchange, case.account.currency
    assert figures is not None
    if figures.purchased_total >= figures.remaining_commitment:
        return
    yield violation(
        "at_least_as_much",
        Code.NEW_TOTAL_TOO_LOW,
        Said(
            "the new reservations must cost at least {remaining_commitment} {currency}; buy more "
            "or return less"
        ),
        {"currency": currency},
        new_total=format_minor(figures.purchased_total, currency),
        remaining_commitment=format_minor(figures.remaining_commitment, currency),
    )

"""Refund cap: the amount of a refund in US dollars, and the rest of the cap in a rolling year."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ledger.calculations.figures import CapRoom
from ledger.state.account_entities import CapEntry, CapSum
from ledger.state.cap_uses import all_parts, parts_of
from ledger.state.reading import State
from ledger.terms.table import CapBasis, Terms
from ledger.values.instants import DAY, Instant
from ledger.values.money import (
    Currency,
    Minor,
    UsdCents,
    currency_digits,
    parse_decimal12,
    round_half_up,
)
from ledger.vocabulary.shapes import CapUse


def cap_use(refund: Minor, cancelled: Minor, rate: str, currency: Currency) -> CapUse:
    """Both readings of a refund, net of fee, in US cents, half up, frozen when decided.

    Source: seed 003 (退款金额不能超过 12 个月滚动窗口中 50,000 美元). `cancelled` are the
    instalments that will not be paid any more. By hand: 50.00 USD refunded and 2,300.00 cancelled
    at 1: counts 50.00 as a refund, 2,350.00 as commitment; 100 JPY at 0.0065: 0.65.
    """
    cents = parse_decimal12(rate) * Fraction(100, 10 ** currency_digits(currency))
    return CapUse(
        refund_usd=round_half_up(refund * cents),
        cancelled_commitment_usd=round_half_up((refund + cancelled) * cents),
        rate=rate,
    )


def counted(use: CapUse | CapEntry | CapSum, basis: CapBasis) -> UsdCents:
    """What counts in the reading that the terms select."""
    return use.refund_usd if basis is CapBasis.REFUND else use.cancelled_commitment_usd


def cap_room(state: State, account_id: str, now: Instant, terms: Terms) -> CapRoom:
    """What the refunds younger than the term's days (365), to the instant, leave of the cap.

    By hand: 30,000.00 refunded 1 Mar 2025 08:00 and 15,000.00 on 1 Jun: left 5,000.00 until
    1 Mar 2026 08:00, when 30,000.00 are released and 35,000.00 are left.
    """
    counting = list(_counting(state, account_id, now, terms))
    consumed = sum(counted(use, terms.cap_basis) for use in counting)
    oldest = counting[0].counted_at if counting else None
    released = (counted(use, terms.cap_basis) for use in counting if use.counted_at == oldest)
    return CapRoom(
        consumed=consumed,
        limit=terms.cap_usd,
        left=max(0, terms.cap_usd - consumed),
        next_release_at=None if oldest is None else oldest + terms.cap_window_days * DAY,
        next_release=sum(released),
    )


def _counting(
    state: State, account_id: str, now: Instant, terms: Terms
) -> Iterator[CapEntry | CapSum]:
    """The uses that count now, oldest first; added up where none of them is released alone."""
    window, basis = terms.cap_window_days * DAY, terms.cap_basis
    oldest: Instant | None = None
    waiting = list(all_parts(state, account_id))[::-1]
    while waiting:
        part = waiting.pop()
        use = part.use
        last_at = use.last_at if isinstance(use, CapSum) else use.counted_at
        if now - last_at >= window or not counted(use, basis):
            continue
        of_one_instant = use.counted_at == last_at
        if of_one_instant or (oldest is not None and oldest < use.counted_at):
            oldest = use.counted_at if oldest is None else oldest
            yield use
        else:
            waiting += parts_of(state, account_id, part)[::-1]

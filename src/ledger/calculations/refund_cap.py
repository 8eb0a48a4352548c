"""Refund cap: what a refund counts in US dollars, and what a rolling year has room for."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from msgspec import Struct

from ledger.state.entities import CapEntry
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


class CapRoom(Struct, frozen=True, kw_only=True):
    """How much of the cap is consumed and left, and what is released next."""

    consumed: UsdCents
    limit: UsdCents
    left: UsdCents
    next_release_at: Instant | None
    next_release: UsdCents


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


def counted(use: CapUse | CapEntry, basis: CapBasis) -> UsdCents:
    """What counts in the reading that the terms select."""
    return use.refund_usd if basis is CapBasis.REFUND else use.cancelled_commitment_usd


def cap_room(entries: Iterable[CapEntry], now: Instant, terms: Terms) -> CapRoom:
    """What the refunds younger than the term's days (365), to the instant, leave of the cap.

    By hand: 30,000.00 refunded 1 Mar 2025 08:00 and 15,000.00 on 1 Jun: left 5,000.00 until
    1 Mar 2026 08:00, when 30,000.00 are released and 35,000.00 are left.
    """
    window = terms.cap_window_days * DAY
    counting = [
        entry
        for entry in entries
        if now - entry.counted_at < window and counted(entry, terms.cap_basis)
    ]
    consumed = sum(counted(entry, terms.cap_basis) for entry in counting)
    oldest = min((entry.counted_at for entry in counting), default=None)
    released = (counted(entry, terms.cap_basis) for entry in counting if entry.counted_at == oldest)
    return CapRoom(
        consumed=consumed,
        limit=terms.cap_usd,
        left=max(0, terms.cap_usd - consumed),
        next_release_at=None if oldest is None else oldest + window,
        next_release=sum(released),
    )

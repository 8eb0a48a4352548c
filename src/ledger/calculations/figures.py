"""Figures: the results of a calculation for the policies and the event."""

from __future__ import annotations

from msgspec import Struct

from ledger.values.instants import Instant
from ledger.values.money import Minor, UsdCents
from ledger.vocabulary.shapes import CapUse, Funds, Parts, RefundRule, WorkingStep


class ReturnFigures(Struct, frozen=True, kw_only=True):
    """A returned reservation: its prorated value now, and the later instalments.

    `instalment` numbers the current one from 1; an upfront payment is one.
    """

    reservation_id: str
    quantity: int
    instalment: int
    value: Minor
    later_instalments: Minor
    working: tuple[WorkingStep, ...]

    @property
    def remaining_commitment(self) -> Minor:
        """Upfront: the prorated value; monthly: this plus all later instalments."""
        return self.value + self.later_instalments


class CapRoom(Struct, frozen=True, kw_only=True):
    """How much of the cap is consumed and left, and what is released next."""

    consumed: UsdCents
    limit: UsdCents
    left: UsdCents
    next_release_at: Instant | None
    next_release: UsdCents


class RefundFigures(Struct, frozen=True, kw_only=True):
    """A refund as computed: gross − fee = amount = the sum of the parts; the working in order.

    A reservation's has its use of the cap, the room there was for it, and what is given back; a
    downgrade's has what is left as paid.
    """

    rule: RefundRule
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts
    working: tuple[WorkingStep, ...]
    cap: CapUse | None = None
    cap_room: CapRoom | None = None
    returned: ReturnFigures | None = None
    left: Funds | None = None


class ExchangeFigures(Struct, frozen=True, kw_only=True):
    """An exchange as computed: what is returned leg by leg, and the new lifetime totals."""

    returned: tuple[ReturnFigures, ...]
    returned_total: Minor
    purchased_total: Minor
    remaining_commitment: Minor
    working: tuple[WorkingStep, ...]

    @property
    def payable(self) -> Minor:
        """The amount to pay: the new totals less the returned value."""
        return self.purchased_total - self.returned_total

"""Figures: what a calculation hands to the policies and to the event."""

from __future__ import annotations

from msgspec import Struct

from ledger.money import Minor
from ledger.shapes import CapUse, Parts, RefundRule, WorkingStep


class RefundFigures(Struct, frozen=True, kw_only=True):
    """A refund as computed: gross − fee = amount = the sum of the parts; the working in order."""

    rule: RefundRule
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts
    working: tuple[WorkingStep, ...]
    cap: CapUse | None = None

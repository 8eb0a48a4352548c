"""Swap: a size without premium storage is changed to its premium-storage size, in the same term."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Reservation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import SwapReservation


def swap_not_supported(case: Case) -> Iterator[Violation]:
    """Only the pairs of the terms' table can be swapped, in one direction.

    Source: seed 003 (例如，F1 有关 F1s). By hand: Standard_F1 → Standard_F1s: accepted;
    Standard_F1s → Standard_F1, or Standard_F1 → Standard_F2s: `SWAP_NOT_SUPPORTED`.
    """
    if not isinstance(case.command, SwapReservation):
        return
    sku = case.the(Reservation, case.command.reservation_id).sku
    supported = case.terms.swaps.get(sku)
    if case.command.sku == supported:
        return
    yield violation(
        "swap",
        Code.SWAP_NOT_SUPPORTED,
        Said("{sku} cannot be swapped for {asked_for}; exchange it instead"),
        sku=sku,
        asked_for=case.command.sku,
        supported=supported or "none",
    )

"""Swap: F1 for F1s within the same term, without a transaction."""

from __future__ import annotations

import pytest

from ledger.terms.table import released_terms
from ledger.values.refusal import Code
from ledger.vocabulary.commands import SwapReservation
from ledger.vocabulary.events import ReservationSwapped
from tests.ledger.rules.reservations.stories import bought, holding, the_reservation


def swap(sku: str) -> SwapReservation:
    return SwapReservation(reservation_id="r-1", sku=sku)


def test_the_twin_with_premium_storage_keeps_the_term() -> None:
    s = holding()
    before = the_reservation(s)
    s.when(swap("Standard_F1s")).then(
        ReservationSwapped(reservation_id="r-1", sku="Standard_F1s", previous_sku="Standard_F1")
    )
    after = the_reservation(s)
    assert after.sku == "Standard_F1s"
    assert (after.starts_on, after.ends_on, after.total) == (
        before.starts_on,
        before.ends_on,
        before.total,
    )
    assert s.cap_entries() == []


@pytest.mark.parametrize("sku", ["Standard_F2s", "Standard_F1", "Nonsense"])
def test_no_other_pair_is_supported(sku: str) -> None:
    violation = holding().when(swap(sku)).refused(Code.SWAP_NOT_SUPPORTED).violations[0]
    assert violation.rule == "swap"
    figures = {"sku": "Standard_F1", "asked_for": sku, "supported": "Standard_F1s"}
    assert violation.figures == figures


def test_there_is_no_way_back() -> None:
    s = holding().when(swap("Standard_F1s"))
    figures = s.when(swap("Standard_F1")).refused(Code.SWAP_NOT_SUPPORTED).violations[0].figures
    assert figures["supported"] == "none"


def test_a_redelivery_stays_quiet() -> None:
    s = holding()
    s.give(swap("Standard_F1s"), id="c-1")
    s.when(swap("Standard_F1s"), id="c-1").then()


@pytest.mark.parametrize(("sku", "twin"), released_terms().at(0).swaps.items())
def test_each_pair_of_the_table_goes_one_way(sku: str, twin: str) -> None:
    s = holding(bought(sku=sku)).when(swap(twin))
    s.then(ReservationSwapped(reservation_id="r-1", sku=twin, previous_sku=sku))
    s.when(swap(sku)).refused(Code.SWAP_NOT_SUPPORTED)
    s.when(swap(twin)).refused(Code.SWAP_NOT_SUPPORTED)

"""Refunding, swapping and transferring a reservation."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.console.web.acting.accounts import events_of, record_reservation, with_reservation
from tests.console.web.acting.forms import follow, form_of, press
from tests.console.web.acting.test_instances import begin

pytestmark = pytest.mark.timeout(300)

AS = {"as": "OWNER:u-1"}


def test_a_part_of_a_reservation_is_refunded(client: TestClient) -> None:
    with_reservation(client, "refund-1")
    first = begin(client, "refund-1", "RefundReservation", "r-1")
    assert "50000.00" in first.text
    assert form_of(first, "quote").fields["usd_rate"] == "1"
    listed = press(client, first, "quote", quantity="2", acknowledged="yes", **AS)
    assert "2433.33 USD" in listed.text
    done = press(client, follow(client, listed, "step=confirm"), "act")
    assert "2433.33 USD" in done.text
    assert "RefundIssued" in events_of(client, "refund-1")


def test_more_than_the_cap_is_told_with_its_figures_and_the_form_keeps_the_quantity(
    client: TestClient,
) -> None:
    with_reservation(client, "refund-2", total="90000.00")
    first = begin(client, "refund-2", "RefundReservation", "r-1")
    listed = press(client, first, "quote", quantity="3", acknowledged="yes", **AS)
    assert "<code>REFUND_CAP_EXCEEDED</code>" in listed.text
    assert "50000.00" in listed.text
    changed = follow(client, listed, "step=begin")
    assert form_of(changed, "quote").fields["quantity"] == "3"
    smaller = press(client, changed, "quote", quantity="1", acknowledged="yes", **AS)
    assert "30000.00 USD" in smaller.text


def test_who_is_no_owner_is_refused_by_name(client: TestClient) -> None:
    with_reservation(client, "refund-3")
    first = begin(client, "refund-3", "RefundReservation", "r-1")
    found = press(client, first, "quote", acknowledged="yes", **{"as": "OWNER:u-9"})
    assert "<code>NOT_OWNER</code>" in found.text


@pytest.mark.parametrize("actor", ["", "u-1", "KING:u-1", "SYSTEM:u-1", "OWNER:"])
def test_an_actor_that_is_none_is_named_beside_the_field(client: TestClient, actor: str) -> None:
    account = f"refund-4{len(actor)}{actor[:1]}"
    with_reservation(client, account)
    first = begin(client, account, "RefundReservation", "r-1")
    found = press(client, first, "quote", acknowledged="yes", **{"as": actor})
    assert found.status_code == 400
    assert "ROLE:ID" in found.text


def test_a_reservation_is_swapped_for_its_twin_and_transferred(client: TestClient) -> None:
    with_reservation(client, "swap-1")
    first = begin(client, "swap-1", "SwapReservation", "r-1")
    assert form_of(first, "review").fields["sku"] == "Standard_F1s"
    done = press(client, press(client, first, "review", **AS), "act")
    assert "ReservationSwapped" in done.text
    moved = begin(client, "swap-1", "TransferReservation", "r-1")
    more = press(client, moved, "owners", **AS, **{"owners[0]": "u-2"})
    asked = press(client, more, "review", **{"owners[1]": "u-3"})
    done = press(client, asked, "act")
    assert "ReservationTransferred" in done.text
    assert "u-2, u-3" in done.text


def test_a_size_without_a_twin_is_told_on_the_first_page(client: TestClient) -> None:
    with_reservation(client, "swap-2", sku="Standard_E8s_v3")
    record_reservation(client, "swap-2", "r-2")
    first = begin(client, "swap-2", "SwapReservation", "r-1")
    assert "<code>SWAP_NOT_SUPPORTED</code>" in first.text
    assert form_of(first, "review").fields["sku"] == ""
    assert form_of(begin(client, "swap-2", "SwapReservation", "r-2"), "review").fields["sku"]

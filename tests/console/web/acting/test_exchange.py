"""An exchange: what goes back, what comes, both transactions, done."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.console.web.acting.accounts import events_of, record_reservation, with_reservation
from tests.console.web.acting.forms import follow, form_of, press
from tests.console.web.acting.test_instances import begin

pytestmark = pytest.mark.timeout(300)

AS = {"as": "OWNER:u-1"}
NEW = {
    "purchases[0].reservation_id": "n-1",
    "purchases[0].sku": "Standard_D8s_v3",
    "purchases[0].quantity": "1",
    "purchases[0].term_months": "36",
    "purchases[0].total": "9000.00",
    "purchases[0].payment.invoice_id": "inv-n-1",
}


def purchases(client: TestClient, account: str, **more: str) -> Response:
    """The second step, with r-1 chosen."""
    first = begin(client, account, "ExchangeReservations", "r-1")
    assert form_of(first, "purchases").fields["returns[0].reservation_id"] == "r-1"
    return press(client, first, "purchases", **more)


def test_two_reservations_go_back_for_a_larger_one(client: TestClient) -> None:
    with_reservation(client, "ex-1")
    record_reservation(client, "ex-1", "r-2")
    second = {"returns[1].reservation_id": "r-2", "returns[1].quantity": "1"}
    chosen = purchases(client, "ex-1", **second)
    assert "Choose what comes" in chosen.text
    fields = form_of(chosen, "quote").fields
    assert fields["purchases[0].product_type"] == "VirtualMachines"
    assert fields["purchases[0].payment.method"] == "INVOICE"
    listed = press(client, chosen, "quote", acknowledged="yes", **NEW, **AS)
    assert listed.status_code == 200, listed.text
    assert "1. Cancellation: what goes back" in listed.text
    assert "2. Purchase: what comes" in listed.text
    assert "4866.67 USD" in listed.text
    assert "4133.33 USD" in listed.text
    done = press(client, listed, "act")
    assert "Submitted" in done.text
    assert "ReservationExchanged" in events_of(client, "ex-1")


def test_a_total_that_is_too_low_is_told_with_its_figures_and_can_be_changed(
    client: TestClient,
) -> None:
    with_reservation(client, "ex-2")
    low = NEW | {"purchases[0].total": "3649.99"}
    listed = press(client, purchases(client, "ex-2"), "quote", acknowledged="yes", **low, **AS)
    assert "<code>NEW_TOTAL_TOO_LOW</code>" in listed.text
    assert "3650.00" in listed.text
    changed = follow(client, listed, "step=begin")
    fields = form_of(changed, "quote").fields
    assert fields["purchases[0].total"] == "3649.99"
    assert fields["returns[0].reservation_id"] == "r-1"
    total = {"purchases[0].total": "3650.00"}
    listed = press(client, changed, "quote", acknowledged="yes", **total, **AS)
    assert "<code>NEW_TOTAL_TOO_LOW</code>" not in listed.text
    assert "Submitted" in press(client, listed, "act").text


def test_nothing_chosen_is_asked_for_again(client: TestClient) -> None:
    with_reservation(client, "ex-3")
    first = begin(client, "ex-3", "ExchangeReservations", "r-1")
    form = form_of(first, "purchases")
    del form.fields["returns[0].reservation_id"]
    found = client.post(form.action, data=form.fields | {"step": "purchases"})
    assert found.status_code == 400
    assert "choose at least one reservation" in found.text


def test_one_more_purchase_and_the_way_back_keep_what_was_typed(client: TestClient) -> None:
    with_reservation(client, "ex-4")
    chosen = purchases(client, "ex-4", **{"returns[0].quantity": "2"})
    more = press(client, chosen, "purchases", **NEW)
    assert "purchases[1].sku" in form_of(more, "quote").fields
    assert form_of(more, "quote").fields["purchases[0].total"] == "9000.00"
    back = form_of(press(client, more, "returns"), "purchases")
    assert back.fields["returns[0].quantity"] == "2"


def test_what_cannot_be_taken_is_named_and_nothing_is_quoted(client: TestClient) -> None:
    with_reservation(client, "ex-5")
    wrong = NEW | {"purchases[0].quantity": "many", "purchases[0].total": "1.234"}
    found = press(client, purchases(client, "ex-5"), "quote", acknowledged="yes", **wrong, **AS)
    assert found.status_code == 400
    assert form_of(found, "quote").fields["purchases[0].quantity"] == "many"
    assert found.text.count('aria-invalid="true"') == 2
    assert "ReservationExchangeQuoted" not in events_of(client, "ex-5")

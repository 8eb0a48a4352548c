"""Destroying, restoring, taking offline and downgrading an instance."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.console.web.acting.accounts import (
    events_of,
    open_account,
    present,
    record_order,
    with_instance,
)
from tests.console.web.acting.forms import follow, form_of, press, send
from tests.console.web.browser import BROWSER
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)

AS = {"as": "OWNER:u-1"}


def begin(client: TestClient, account: str, act: str, thing: str = "i-1", **more: str) -> Response:
    """The first step of an act."""
    path = f"/accounts/{account}/acts/{act}"
    return client.get(path, params={"thing": thing, **more}, headers=BROWSER)


def with_postpaid(client: TestClient, account: str) -> None:
    """An account with an instance that is paid by use."""
    open_account(client, account)
    body = {"instance_id": "i-1", "product": "cvm", "region": "r-1"}
    assert give(client, account, "StartPostpaidInstance", body, "start").status_code == 200


def test_an_instance_paid_by_use_is_destroyed_restored_and_taken_offline(
    client: TestClient,
) -> None:
    with_postpaid(client, "use-1")
    first = begin(client, "use-1", "DestroyPostpaidInstance")
    assert "2 hours" in first.text
    asked = press(client, first, "review", acknowledged="yes", **AS)
    assert "Please confirm the following" in asked.text
    form = form_of(asked, "act")
    assert send(client, form, "act").url == send(client, form, "act").url
    for act, event in (
        ("RestoreInstance", "InstanceRestored"),
        ("DestroyPostpaidInstance", "InstanceIsolated"),
        ("TakeInstanceOffline", "InstanceDestroyed"),
    ):
        agreed = {"acknowledged": "yes"} if act == "DestroyPostpaidInstance" else {}
        asked = press(client, begin(client, "use-1", act), "review", **agreed, **AS)
        done = press(client, asked, "act")
        assert "Submitted" in done.text
        assert event in done.text
    assert events_of(client, "use-1")[2:] == [
        "InstanceIsolated",
        "InstanceRestored",
        "InstanceIsolated",
        "InstanceDestroyed",
    ]


def test_destroying_without_having_agreed_keeps_what_was_typed(client: TestClient) -> None:
    with_postpaid(client, "use-2")
    found = press(client, begin(client, "use-2", "DestroyPostpaidInstance"), "review", **AS)
    assert found.status_code == 400
    assert form_of(found, "review").fields["as"] == "OWNER:u-1"


def test_an_account_in_arrears_is_told_on_the_first_page_and_refused(client: TestClient) -> None:
    with_postpaid(client, "use-3")
    give(client, "use-3", "SetAccountStanding", {"in_arrears": True}, "arrears")
    first = begin(client, "use-3", "DestroyPostpaidInstance")
    assert "<code>ACCOUNT_IN_ARREARS</code>" in first.text
    asked = press(client, first, "review", acknowledged="yes", **AS)
    refused = press(client, asked, "act")
    assert "Refused: nothing has changed" in refused.text
    assert "<code>ACCOUNT_IN_ARREARS</code>" in refused.text


def test_a_change_goes_back_with_what_was_typed(client: TestClient) -> None:
    with_postpaid(client, "use-4")
    first = begin(client, "use-4", "DestroyPostpaidInstance")
    asked = press(client, first, "review", acknowledged="yes", **AS)
    changed = form_of(press(client, asked, "change"), "review")
    assert changed.fields["acknowledged"] == "yes"
    assert changed.fields["as"] == "OWNER:u-1"


def test_a_returned_instance_is_started_again_by_its_renewal(client: TestClient) -> None:
    with_instance(client, "renew-1")
    body = {"instance_id": "i-1", "acknowledged": True}
    assert give(client, "renew-1", "ReturnInstance", body, "r", "SUPPORT:s-1").status_code == 200
    without = begin(client, "renew-1", "RestoreInstance")
    assert "<code>RENEWAL_REQUIRED</code>" in without.text
    renewal = follow(client, without, "RecordInstanceOrder")
    assert form_of(renewal, "review").fields["kind"] == "RENEWAL"
    assert form_of(renewal, "review").fields["lines[0].instance_id"] == "i-1"
    record_order(client, "renew-1", "o-2", "i-1", starts=present(client), kind="RENEWAL")
    first = begin(client, "renew-1", "RestoreInstance")
    assert form_of(first, "review").fields["renewal_order_id"] == "o-2"
    done = press(client, press(client, first, "review", **AS), "act")
    assert "InstanceRestored" in done.text


def test_a_downgrade_is_quoted_by_its_new_prices_and_confirmed_twice(client: TestClient) -> None:
    with_instance(client, "down-1")
    first = begin(client, "down-1", "DowngradeInstance")
    more = press(client, first, "duration_discounts", **AS, **SMALLER)
    assert form_of(more, "quote").fields["components[0].list_monthly"] == "60.00"
    discount = {"duration_discounts[0].from_months": "12", "duration_discounts[0].factor": "0.83"}
    listed = press(client, more, "quote", acknowledged="yes", **discount)
    assert listed.status_code == 200, listed.text
    assert "Amount of the refund" in listed.text
    done = press(client, follow(client, listed, "step=confirm"), "act")
    assert "Submitted" in done.text
    assert "InstanceDowngraded" in events_of(client, "down-1")


SMALLER = {
    "components[0].name": "node",
    "components[0].list_monthly": "60.00",
    "components[0].payg[0].from_hours": "0",
    "components[0].payg[0].hourly": "0.50",
}


def test_fields_that_cannot_be_taken_are_named_beside_what_was_typed(client: TestClient) -> None:
    with_instance(client, "down-2")
    first = begin(client, "down-2", "DowngradeInstance")
    wrong = SMALLER | {
        "components[0].list_monthly": "cheap",
        "components[0].payg[0].from_hours": "x",
    }
    found = press(client, first, "quote", acknowledged="yes", **AS, **wrong)
    assert found.status_code == 400
    fields = form_of(found, "quote").fields
    assert fields["components[0].list_monthly"] == "cheap"
    assert fields["components[0].payg[0].from_hours"] == "x"
    assert found.text.count('aria-invalid="true"') == 2
    assert "acknowledged" in fields
    assert "InstanceDowngradeQuoted" not in events_of(client, "down-2")

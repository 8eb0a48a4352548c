"""Returning an instance: details and rules, list, confirm, confirm again, progress."""

from __future__ import annotations

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from console.web.access import people
from tests.console.ledgers import RunningLedger
from tests.console.web.acting.accounts import events_of, record_order, with_instance
from tests.console.web.acting.forms import follow, form_of, press, send
from tests.console.web.browser import BROWSER, PASSWORD, sign_in

pytestmark = pytest.mark.timeout(300)

AS = {"as": "OWNER:u-1"}


@pytest.fixture(scope="module")
def ninth(client: TestClient) -> None:
    """An account with an instance."""
    with_instance(client, "return-9")


def begin(client: TestClient, account: str, thing: str = "i-1") -> Response:
    """The first step."""
    path = f"/accounts/{account}/acts/ReturnInstance"
    return client.get(path, params={"thing": thing}, headers=BROWSER)


def quoted(client: TestClient, account: str, thing: str = "i-1") -> Response:
    """The list with amounts."""
    found = press(client, begin(client, account, thing), "quote", acknowledged="yes", **AS)
    assert found.status_code == 200, found.text
    return found


def asked_again(client: TestClient, account: str, thing: str = "i-1") -> Response:
    """The second question."""
    return follow(client, quoted(client, account, thing), "step=confirm")


def test_a_return_goes_through_all_its_steps(client: TestClient) -> None:
    with_instance(client, "return-1")
    first = begin(client, "return-1")
    assert "Details and rules" in first.text
    assert "7 days" in first.text
    assert "25 %" in first.text
    listed = press(client, first, "quote", acknowledged="yes", **AS)
    assert "1413.92 CNY" in listed.text
    assert "How it was calculated" in listed.text
    assert "data-until" in listed.text
    again = follow(client, listed, "step=confirm")
    assert "confirm again" in again.text
    done = press(client, again, "act")
    assert done.status_code == 200
    assert "Submitted" in done.text
    assert "1413.92 CNY" in done.text
    assert events_of(client, "return-1")[2:5] == [
        "InstanceReturnQuoted",
        "InstanceIsolated",
        "RefundIssued",
    ]


def test_who_has_not_read_the_rules_goes_no_further(client: TestClient) -> None:
    with_instance(client, "return-2")
    found = press(client, begin(client, "return-2"), "quote", **AS)
    assert found.status_code == 400
    assert "that you have read the rules" in found.text
    assert form_of(found, "quote").fields["as"] == "OWNER:u-1"
    assert "InstanceReturnQuoted" not in events_of(client, "return-2")


def test_a_link_to_the_last_step_alone_does_not_agree(client: TestClient) -> None:
    with_instance(client, "return-3")
    listed = quoted(client, "return-3")
    bare = str(listed.url).replace("agreed=yes", "step=confirm")
    found = client.get(bare, headers=BROWSER)
    assert "Read the rules and agree first" in found.text
    with pytest.raises(AssertionError):
        form_of(found, "act")


def test_a_double_click_and_a_reload_return_once(client: TestClient) -> None:
    with_instance(client, "return-4")
    first = begin(client, "return-4")
    one = press(client, first, "quote", acknowledged="yes", **AS)
    two = press(client, first, "quote", acknowledged="yes", **AS)
    assert one.url == two.url
    form = form_of(follow(client, one, "step=confirm"), "act")
    done, again = send(client, form, "act"), send(client, form, "act")
    assert done.url == again.url
    assert "Submitted" in again.text
    names = events_of(client, "return-4")
    assert names.count("InstanceReturnQuoted") == 1
    assert names.count("RefundIssued") == 1
    assert "CommandRefused" not in names


def test_every_violated_rule_stands_on_the_list_with_its_figures(client: TestClient) -> None:
    with_instance(client, "return-5")
    press(client, asked_again(client, "return-5"), "act")
    found = begin(client, "return-5")
    assert "What stands in the way now" in found.text
    refused = press(client, found, "quote", acknowledged="yes", **AS)
    assert "<code>WRONG_STATE</code>" in refused.text
    with pytest.raises(AssertionError):
        form_of(refused, "act")


def test_an_amount_that_has_changed_is_not_taken_and_a_new_quote_shows_both(
    client: TestClient,
) -> None:
    with_instance(client, "return-6")
    record_order(client, "return-6", "o-2", "i-2", cash="500.00")
    form = form_of(asked_again(client, "return-6", "i-2"), "act")
    press(client, asked_again(client, "return-6"), "act")
    refused = send(client, form, "act")
    assert "<code>QUOTE_CHANGED</code>" in refused.text
    assert "InstanceIsolated" not in events_of(client, "return-6")[6:]
    renewed = press(client, refused, "quote")
    before = renewed.text.partition("<del>")[2].partition("</del>")[0]
    assert "500.00" in before
    assert "Ordinary return" in renewed.text
    done = press(client, follow(client, renewed, "step=confirm"), "act")
    assert "Submitted" in done.text


def test_without_a_thing_there_are_those_to_choose_from(client: TestClient) -> None:
    with_instance(client, "return-8")
    found = client.get("/accounts/return-8/acts/ReturnInstance", headers=BROWSER)
    chosen = follow(client, found, "thing=i-1")
    assert "Details and rules" in chosen.text


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/nobody/acts/ReturnInstance?thing=i-1",
        "/accounts/return-9/acts/ReturnInstance?thing=i-9",
        "/accounts/return-9/acts/NoSuchAct",
        "/accounts/return-9/acts/ExpireInstance",
    ],
)
@pytest.mark.usefixtures("ninth")
def test_what_is_not_there_is_a_page_with_a_way_back(client: TestClient, path: str) -> None:
    found = client.get(path, headers=BROWSER)
    assert found.status_code in {403, 404}
    assert "<nav" in found.text


def test_a_command_that_is_not_known_yet_is_waited_for(client: TestClient) -> None:
    with_instance(client, "return-10")
    path = "/accounts/return-10/acts/ReturnInstance"
    for query in ({"done": "web-1"}, {"quote": "web-1"}):
        found = client.get(path, params={"thing": "i-1", **query}, headers=BROWSER)
        assert found.status_code == 202
        assert found.headers["Refresh"] == "2"
        assert "<code>web-1</code>" in found.text


def test_a_person_of_support_acts_under_the_own_name(
    client: TestClient, locked: TestClient, live_ledger: RunningLedger
) -> None:
    with_instance(client, "return-11")
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "emma", PASSWORD, ["support"])
        people.add(connection, "fred", PASSWORD, ["finance"])
    sign_in(locked, "emma")
    first = begin(locked, "return-11")
    assert 'name="as"' not in first.text
    listed = press(locked, first, "quote", acknowledged="yes")
    form = form_of(follow(locked, listed, "step=confirm"), "act")
    foreign = send(locked, form, "act", csrf="guessed")
    assert foreign.status_code == 403
    assert "InstanceIsolated" not in events_of(client, "return-11")
    assert "Submitted" in send(locked, form, "act").text
    asked = {"account": "return-11", "columns": "actor_id,actor_role,event_name"}
    rows = client.get("/v1/events", params=asked).json()["rows"]
    (row,) = (row for row in rows if row["event_name"] == "InstanceIsolated")
    assert (row["actor_id"], row["actor_role"]) == ("emma", "SUPPORT")
    billing = locked.get("/accounts/return-11/acts/ChangeCard", headers=BROWSER)
    assert billing.status_code == 403
    locked.cookies.clear()
    sign_in(locked, "fred")
    assert begin(locked, "return-11").status_code == 403
    locked.cookies.clear()

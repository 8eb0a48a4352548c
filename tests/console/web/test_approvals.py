"""An act above the limit waits for a second person, by whichever route it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from console.running.settings import Settings
from console.terminal.errors import BadInput
from console.web import desk
from console.web.access import people
from console.web.application import application
from console.web.approving import proposals
from console.web.approving.limits import Giver, limits_of, why_it_waits
from console.web.backend import Backend
from ledger.vocabulary.commands import (
    ChangeCard,
    Command,
    DowngradeInstance,
    ExchangeReservations,
    RefundMarketplaceManually,
    RefundReservation,
    ReturnInstance,
)
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from tests.console.ledgers import RunningLedger
from tests.console.web.acting.forms import form_of, press
from tests.console.web.browser import BROWSER, PASSWORD, sign_in
from tests.console.web.serving import ledger_of
from tests.console.web.test_api import OPENING
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

LIMITS = {"CNY": 100_00}
PEOPLE = {
    "anna": ["support"],
    "ANNA": ["support"],
    "ａｎｎａ": ["support"],
    "bert": ["support"],
    "otto": ["operator"],
    "fina": ["finance"],
    "billing": ["gateway"],
}


@pytest.fixture(scope="module")
def backend(live_ledger: RunningLedger) -> Backend:
    found = Backend(ledger_of(live_ledger))
    found.limits = LIMITS
    return found


@pytest.fixture(scope="module")
def guarded(backend: Backend) -> Iterator[TestClient]:
    """As it is served with a limit of 100.00 CNY."""
    with TestClient(application(backend), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def keys(guarded: TestClient, live_ledger: RunningLedger) -> dict[str, dict[str, str]]:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        return {
            name: {"Authorization": f"Bearer {people.new_token(connection, name, principals, 1)}"}
            for name, principals in PEOPLE.items()
        }


@pytest.fixture
def account(guarded: TestClient, keys: dict[str, dict[str, str]], request: Any) -> str:
    """An account of the test's own, with a purchase of 200.00 CNY."""
    name = f"four-{request.node.name[-40:]}".replace("[", "-").replace("]", "")
    purchase = {
        "purchase_id": "p-1",
        "product_kind": "HUMAN_SERVICE",
        "vendor_id": "v-1",
        "buyer_id": "u-1",
        "paid": {"cash": "200.00", "gift": "0.00"},
        "purchased_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    for command, body in (("OpenAccount", OPENING), ("RecordMarketplacePurchase", purchase)):
        found = give(guarded, keys["billing"], name, command, body, command, "BILLING:billing")
        assert found.status_code == 200, found.text
    return name


def give(
    client: TestClient,
    key: dict[str, str],
    account: str,
    command: str,
    body: dict[str, Any],
    command_id: str,
    actor: str | None = None,
) -> Response:
    told = {**key, "Idempotency-Key": command_id}
    if actor is not None:
        told["Refunds-Actor"] = actor
    return client.post(f"/v1/accounts/{account}/commands/{command}", json=body, headers=told)


def refund(amount: str) -> dict[str, Any]:
    return {"purchase_id": "p-1", "ticket": "t-1", "amount": amount}


def propose(client: TestClient, key: dict[str, str], account: str, amount: str = "150.00") -> str:
    """A manual refund that waits; where it does."""
    found = give(client, key, account, "RefundMarketplaceManually", refund(amount), "refund")
    assert (found.status_code, found.json()["outcome"]) == (202, "waiting"), found.text
    return found.headers["Location"]


def issued(client: TestClient, key: dict[str, str], account: str) -> list[dict[str, Any]]:
    """The refunds of the account, with who acted and who approved."""
    asked = {"account": account, "columns": "event_name,command_id,actor_id,approved_by"}
    rows = client.get("/v1/events", params=asked, headers=key).json()["rows"]
    return [row for row in rows if row.pop("event_name") == "RefundIssued"]


def given(body: Command, role: Role = Role.SUPPORT) -> GivenCommand:
    meta = CommandMeta(command_id="c", account_id="a", actor=Actor(id="anna", role=role))
    return GivenCommand(meta=meta, body=body)


def returned(**more: Any) -> ReturnInstance:
    return ReturnInstance(instance_id="i", acknowledged=True, currency="CNY", **more)


def manual(amount: int, currency: str = "CNY") -> RefundMarketplaceManually:
    return RefundMarketplaceManually(purchase_id="p", ticket="t", amount=amount, currency=currency)


EXCHANGE = ExchangeReservations(
    returns=(), purchases=(), acknowledged=True, confirmed_amount=1, currency="CNY"
)
RESERVATION = RefundReservation(reservation_id="r", usd_rate="7", acknowledged=True)
DOWNGRADE = DowngradeInstance(
    instance_id="i", components=(), duration_discounts=(), acknowledged=True, currency="CNY"
)


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        (manual(100_00), None),
        (manual(100_01), "100.01 CNY is above 100.00 CNY"),
        (manual(1, "USD"), "0.01 USD: no limit is set for this currency"),
        (returned(confirmed_amount=100_00), None),
        (returned(confirmed_amount=100_01), "100.01 CNY is above 100.00 CNY"),
        (returned(), "without a quote and a confirmed amount, nobody knows what it brings"),
        (returned(quote_id="q"), None),
        (RESERVATION, "without a quote and a confirmed amount, nobody knows what it brings"),
        (DOWNGRADE, "without a quote and a confirmed amount, nobody knows what it brings"),
        (EXCHANGE, "without a quote, nobody knows what is given back"),
        (ChangeCard(card_id="c"), None),
    ],
)
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OWNER])
def test_what_waits_and_why(body: Command, waits: str | None, role: Role) -> None:
    connection: Any = None  # only a correction asks it
    person = Giver(name="anna")
    assert why_it_waits(connection, LIMITS, given(body, role), person) == waits


def test_a_program_that_speaks_for_owners_needs_no_quote() -> None:
    connection: Any = None
    program = Giver(name="billing", for_owners=True)
    assert why_it_waits(connection, LIMITS, given(returned(), Role.OWNER), program) is None
    assert why_it_waits(connection, LIMITS, given(EXCHANGE, Role.OWNER), program) is None
    assert why_it_waits(connection, LIMITS, given(returned(), Role.SUPPORT), program) is not None


@pytest.mark.parametrize("text", ['{"CNY": "1.234"}', '{"XXX": "1"}', '{"CNY": "much"}'])
def test_a_limit_that_is_no_amount_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("REFUNDS_APPROVAL_ABOVE", text)
    with pytest.raises(BadInput, match="REFUNDS_APPROVAL_ABOVE"):
        limits_of(Settings())


def test_without_a_limit_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFUNDS_APPROVAL_ABOVE", raising=False)
    assert limits_of(Settings()) is None
    monkeypatch.setenv("REFUNDS_APPROVAL_ABOVE", '{"CNY": "100.00"}')
    assert limits_of(Settings()) == LIMITS


def test_a_second_person_approves_and_both_are_named(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    where = propose(guarded, keys["anna"], account)
    assert issued(guarded, keys["anna"], account) == []
    told = guarded.get(where, headers=keys["fina"]).json()
    assert (told["state"], told["proposed_by"]) == ("WAITING", "anna")
    assert told["body"] == {**refund("150.00"), "currency": "CNY"}
    others = ("ANNA", "ａｎｎａ", "fina", "billing")
    for name, status in (("anna", 403), *((each, 403) for each in others), ("bert", 200)):
        found = guarded.post(f"{where}/approve", headers=keys[name])
        assert found.status_code == status, (name, found.text)
    assert issued(guarded, keys["anna"], account) == [
        {"command_id": "refund", "actor_id": "anna", "approved_by": "bert"}
    ]
    again = give(
        guarded, keys["anna"], account, "RefundMarketplaceManually", refund("150.00"), "refund"
    )
    assert (again.status_code, again.json()["outcome"]) == (200, "accepted")
    told = guarded.get(where, headers=keys["fina"]).json()
    assert (told["state"], told["decided_by"]) == ("APPROVED", "bert")


def test_an_act_at_the_limit_is_published_at_once(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    found = give(
        guarded, keys["anna"], account, "RefundMarketplaceManually", refund("100.00"), "refund"
    )
    assert (found.status_code, found.json()["outcome"]) == (200, "accepted")
    assert issued(guarded, keys["anna"], account)[0]["approved_by"] == ""


def test_a_batch_is_no_way_round(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    def line(command_id: str, amount: str) -> str:
        told = {"account": account, "id": command_id, "command": "RefundMarketplaceManually"}
        actor = {"id": "anna", "role": "SUPPORT"}
        return json.dumps({**told, "actor": actor, "body": refund(amount)})

    lines = [line("a", "150.00"), line("b", "1.00"), line("a", "151.00")]
    for name in ("anna", "billing"):
        found = guarded.post("/v1/batches", content="\n".join(lines), headers=keys[name])
        answers = [json.loads(each) for each in found.text.splitlines()]
        assert [each["status"] for each in answers] == [202, 200, 409]
        assert answers[0]["reason"] == "150.00 CNY is above 100.00 CNY"
        assert answers[2]["proposal"]["proposed_by"] == "anna"
    rows = issued(guarded, keys["anna"], account)
    assert [row["command_id"] for row in rows] == ["b"]


@pytest.mark.parametrize("name", ["billing", "otto"])
def test_a_program_and_an_operator_wait_as_well_and_who_acts_does_not_approve(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str, name: str
) -> None:
    body = refund("150.00")
    found = give(
        guarded, keys[name], account, "RefundMarketplaceManually", body, "refund", "SUPPORT:anna"
    )
    assert found.status_code == 202
    where = found.headers["Location"]
    for other, status in (("anna", 403), (name, 403), ("bert", 200)):
        assert guarded.post(f"{where}/approve", headers=keys[other]).status_code == status


def test_an_operator_who_claims_to_be_the_owner_waits_without_a_quote(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    body = {"instance_id": "i-1", "acknowledged": True}
    for name, status in (("otto", 202), ("billing", 422)):
        found = give(
            guarded, keys[name], account, "ReturnInstance", body, f"return-{name}", "OWNER:u-1"
        )
        assert found.status_code == status, found.text


def test_a_correction_of_a_large_refund_waits(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    where = propose(guarded, keys["anna"], account)
    assert guarded.post(f"{where}/approve", headers=keys["bert"]).status_code == 200
    asked = {"account": account, "columns": "refund_id"}
    rows = guarded.get("/v1/refunds", params=asked, headers=keys["anna"]).json()["rows"]
    for refund_id, reason in (
        (rows[0]["refund_id"], "150.00 CNY is above 100.00 CNY"),
        ("unknown", "the amount of refund unknown is unknown"),
    ):
        body = {"refund_id": refund_id, "reason": "x", "restore_quota": False, "restore_cap": False}
        found = give(guarded, keys["anna"], account, "CorrectRefund", body, f"of-{refund_id}")
        assert (found.status_code, found.json()["reason"]) == (202, reason)


def test_other_content_under_the_same_id_is_a_conflict(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    where = propose(guarded, keys["anna"], account)
    for amount in ("151.00", "1.00"):
        found = give(
            guarded, keys["anna"], account, "RefundMarketplaceManually", refund(amount), "refund"
        )
        assert found.status_code == 409
        assert found.json()["proposal"]["at"] == where
    assert propose(guarded, keys["anna"], account) == where


def test_what_is_declined_or_waited_too_long_is_never_published(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str, backend: Backend
) -> None:
    where = propose(guarded, keys["anna"], account)
    with backend.connection() as connection:
        connection.execute(
            "UPDATE web.proposals SET waits_until = now() WHERE account_id = %s", (account,)
        )
    late = guarded.post(f"{where}/approve", headers=keys["bert"])
    assert (late.status_code, "expired" in late.text) == (409, True)
    assert guarded.get(where, headers=keys["bert"]).json()["outcome"] == "expired"
    with backend.connection() as connection:
        connection.execute(
            "UPDATE web.proposals SET waits_until = now() + interval '1 hour'"
            " WHERE account_id = %s",
            (account,),
        )
    declined = guarded.post(f"{where}/decline", headers=keys["bert"]).json()
    assert (declined["state"], declined["outcome"]) == ("DECLINED", "declined")
    assert guarded.post(f"{where}/approve", headers=keys["otto"]).status_code == 409
    found = give(
        guarded, keys["anna"], account, "RefundMarketplaceManually", refund("150.00"), "refund"
    )
    assert (found.status_code, found.json()["title"]) == (409, "Not approved")
    assert issued(guarded, keys["anna"], account) == []


def test_who_proposed_it_may_withdraw_it(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    where = propose(guarded, keys["anna"], account)
    assert guarded.post(f"{where}/decline", headers=keys["anna"]).json()["decided_by"] == "anna"


def test_of_many_who_approve_at_once_one_decides_and_it_is_published_once(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    where = propose(guarded, keys["anna"], account)
    with ThreadPoolExecutor(8) as pool:
        names = ["bert", "otto"] * 4
        found = list(
            pool.map(
                lambda name: guarded.post(f"{where}/approve", headers=keys[name]).status_code, names
            )
        )
    assert sorted(set(found)) == [200, 409]
    (row,) = issued(guarded, keys["anna"], account)
    assert row["approved_by"] in {"bert", "otto"}


def test_an_approval_whose_console_died_is_published_by_the_next_one_and_once(
    guarded: TestClient,
    keys: dict[str, dict[str, str]],
    account: str,
    live_ledger: RunningLedger,
) -> None:
    where = propose(guarded, keys["anna"], account)
    next_one = Backend(ledger_of(live_ledger))
    next_one.open()
    try:
        with next_one.connection() as connection:
            proposals.approve(connection, (account, "refund"), "bert")
        # Here the console dies. Whoever looks first publishes, and so may another one again.
        desk.publish_approved(next_one)
        with next_one.connection() as connection:
            connection.execute(
                "UPDATE web.proposals SET published_at = NULL WHERE account_id = %s", (account,)
            )
        assert desk.publish_approved(next_one) >= 1
        wait_until(lambda: len(issued(guarded, keys["anna"], account)) > 0, "the refund")
        assert guarded.post(f"{where}/approve", headers=keys["bert"]).status_code == 200
    finally:
        next_one.close()
    assert issued(guarded, keys["anna"], account) == [
        {"command_id": "refund", "actor_id": "anna", "approved_by": "bert"}
    ]


def test_a_running_console_publishes_what_another_one_approved(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str, backend: Backend
) -> None:
    propose(guarded, keys["anna"], account)
    with backend.connection() as connection:
        proposals.approve(connection, (account, "refund"), "bert")
    wait_until(lambda: len(issued(guarded, keys["anna"], account)) == 1, "the refund")


def test_a_form_of_the_pages_is_no_way_round(
    guarded: TestClient, live_ledger: RunningLedger, keys: dict[str, Any], account: str
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "anna", PASSWORD, ["support"])
    sign_in(guarded, "anna")
    try:
        act = f"/accounts/{account}/acts/RefundMarketplaceManually"
        page = guarded.get(act, headers=BROWSER)
        typed = {**form_of(page, "review").fields, **refund("150.00"), "step": "review"}
        confirmed = press(guarded, guarded.post(act, data=typed, headers=BROWSER), "act")
        assert confirmed.url.path == "/approvals"
        assert "150.00 CNY is above 100.00 CNY" in confirmed.text
    finally:
        guarded.cookies.clear()
    assert issued(guarded, keys["anna"], account) == []


def test_the_page_shows_what_waits_and_takes_the_decision(
    guarded: TestClient, keys: dict[str, dict[str, str]], account: str
) -> None:
    propose(guarded, keys["anna"], account)
    own = guarded.get("/approvals", headers=keys["anna"] | BROWSER).text
    assert "somebody else decides" in own
    form = f"/approvals/{account}/refund/approve"
    assert form not in own
    assert form in guarded.get("/approvals", headers=keys["bert"] | BROWSER).text
    done = guarded.post(form, headers=keys["bert"] | BROWSER)
    assert done.status_code == 200
    assert form not in done.text
    assert issued(guarded, keys["anna"], account)[0]["approved_by"] == "bert"

"""A buyer and a vendor see and act on their own things alone, on every route that they may call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from console.web.access.own_things import OwnThings
from console.web.backend import Backend
from consumers.follow_ups import command_record
from ledger.log.access import read_matrix
from ledger.log.kafka import KafkaTools
from ledger.vocabulary.commands import DeclineMarketplaceRefund
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from projector.asking.outcomes import outcome
from projector.questions import QUESTIONS
from tests.console.ledgers import RunningLedger
from tests.console.web.serving import ledger_of
from tests.console.web.test_access import routes
from tests.console.web.test_api import OPENING
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

MATRIX = read_matrix()
OWN, FAR = "near/shop 1", "far-shop"
"""Two accounts; an id may have every character."""
NEAR_WORDS, FAR_WORDS = ("near/shop 1", "near-vendor"), ("far-shop", "far-vendor")
OWNERS = {
    "buyer": OwnThings(accounts=(OWN,), buyer_id="near-buyer"),
    "buyers": OwnThings(accounts=("near*", "none")),
    "vendor": OwnThings(vendors=("near-vendor", "none")),
}
NOBODYS = {name for name, each in QUESTIONS.items() if not each.of_accounts}


def headers(token: str, key: str | None = None, actor: str | None = None) -> dict[str, str]:
    told = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Refunds-Actor": actor}
    return {name: value for name, value in told.items() if value is not None}


@pytest.fixture(scope="module")
def tokens(locked: TestClient, live_ledger: RunningLedger) -> dict[str, str]:
    """A token of each, over a ledger with two accounts, each with a request to its own vendor."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        found = {
            name: people.new_token(connection, name, [name.removesuffix("s")], 1, own)
            for name, own in OWNERS.items()
        }
        gateway = people.new_token(connection, "billing", ["gateway"], 1)
    for account, near in ((OWN, "near"), (FAR, "far")):
        for name, body, actor in story(near):
            path = f"/v1/accounts/{quote(account, safe='')}/commands/{name}"
            told = headers(gateway, f"{near}-{name}", actor)
            assert locked.post(path, json=body, headers=told).status_code == 200
    return found


def story(near: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """An account whose buyer asks a vendor for money back, for two purchases."""
    yield "OpenAccount", OPENING, "BILLING:billing"
    purchase = {
        "purchase_id": f"{near}-p",
        "product_kind": "SAAS",
        "vendor_id": f"{near}-vendor",
        "buyer_id": f"{near}-buyer",
        "paid": {"cash": "200.00", "gift": "0.00"},
        "purchased_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    yield "RecordMarketplacePurchase", purchase, "BILLING:billing"
    asked = {"purchase_id": f"{near}-p", "reason": "OTHER", "acknowledged": True}
    yield "RequestMarketplaceRefund", asked, f"BUYER:{near}-buyer"


def open_to(client: TestClient, role: str) -> list[str]:
    """The routes that a role may read its own part of."""
    return [
        path
        for method, path in routes(client)
        if method == "GET"
        for right in MATRIX.rights_on("route", f"GET {path}")
        if (right.principal, right.operation) == (role, "OWN")
    ]


def filled(path: str, near: str, account: str) -> list[str]:
    """The paths of a route about things of one side."""
    values = {
        "account_id": [account],
        "command_id": [f"{near}-RequestMarketplaceRefund"],
        "wanted": [f"{near}-RequestMarketplaceRefund"],
        "name": list(QUESTIONS),
    }
    found = [path]
    for name in re.findall(r"\{(\w+)\}", path):
        found = [
            each.replace(f"{{{name}}}", quote(value, safe=""))
            for each in found
            for value in values.get(name, [f"{near}-p"])
        ]
    return found


@pytest.mark.parametrize("role", list(OWNERS))
def test_no_route_shows_what_is_anothers(
    locked: TestClient, tokens: dict[str, str], role: str
) -> None:
    tried = 0
    for path in open_to(locked, role.removesuffix("s")):
        paths = {*filled(path, "near", OWN), *filled(path, "far", FAR)}
        for asked in sorted(paths):
            for query in ("", f"?account={FAR}", f"?account={quote(OWN, safe='')}"):
                for accept in ("application/json", "text/html", "text/csv"):
                    found = locked.get(
                        asked + query, headers=headers(tokens[role]) | {"Accept": accept}
                    )
                    assert found.status_code in {200, 400, 403, 404, 422}, (asked, found.text)
                    if found.status_code == 200:
                        shown = found.text.replace(asked, "").replace(f"account={FAR}", "")
                        assert not any(word in shown for word in FAR_WORDS), (asked, query)
                    tried += 1
    assert tried > 100


@pytest.mark.parametrize("role", ["buyer", "buyers"])
@pytest.mark.parametrize("name", [each for each in QUESTIONS if each not in NOBODYS])
def test_a_buyers_list_is_cut_to_the_own_accounts(
    locked: TestClient, tokens: dict[str, str], role: str, name: str
) -> None:
    key = headers(tokens[role])
    found = locked.get(f"/v1/{name}", headers=key)
    assert found.status_code == 200
    assert not any(word in found.text for word in FAR_WORDS)
    assert locked.get(f"/v1/{name}", params={"account": FAR}, headers=key).status_code == 404
    assert locked.get(f"/v1/{name}", params={"account": OWN}, headers=key).status_code == 200
    if name in {"accounts", "balances", "events", "marketplace-requests", "outcomes"}:
        assert NEAR_WORDS[0] in found.text


@pytest.mark.parametrize("name", sorted(NOBODYS))
def test_what_is_about_nobody_is_not_for_those_with_own_things(
    locked: TestClient, tokens: dict[str, str], name: str
) -> None:
    for role in OWNERS:
        assert locked.get(f"/v1/{name}", headers=headers(tokens[role])).status_code == 403


@pytest.mark.parametrize("name", [each for each in QUESTIONS if each != "marketplace-requests"])
def test_a_vendor_reads_requests_alone(
    locked: TestClient, tokens: dict[str, str], name: str
) -> None:
    assert locked.get(f"/v1/{name}", headers=headers(tokens["vendor"])).status_code == 403


def test_a_vendor_sees_the_requests_of_the_own_products(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    asked = {"columns": "purchase_id,account_id"}
    found = locked.get("/v1/marketplace-requests", params=asked, headers=headers(tokens["vendor"]))
    assert found.json()["rows"] == [{"purchase_id": "near-p", "account_id": OWN}]


@pytest.mark.parametrize(
    "path",
    ["/v1/accounts/{}/eligibility", "/accounts/{}", "/v1/accounts/{}/commands/{}-OpenAccount"],
)
def test_a_buyer_sees_the_own_account_and_no_other(
    locked: TestClient, tokens: dict[str, str], path: str
) -> None:
    for role in ("buyer", "buyers"):
        key = headers(tokens[role])
        near = locked.get(path.format(quote(OWN, safe=""), "near"), headers=key)
        assert near.status_code == 200, near.text
        assert locked.get(path.format(FAR, "far"), headers=key).status_code == 404


def test_a_buyer_asks_for_money_of_the_own_purchases_alone(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    body = {"purchase_id": "near-p"}
    for account, status in ((FAR, 404), (OWN, 200)):
        path = f"/v1/accounts/{quote(account, safe='')}/commands/WithdrawMarketplaceRefund"
        found = locked.post(path, json=body, headers=headers(tokens["buyer"], "withdraw"))
        assert found.status_code == status, found.text
    named = headers(tokens["buyer"], "other", "BUYER:far-buyer")
    path = f"/v1/accounts/{quote(OWN, safe='')}/commands/RequestMarketplaceRefund"
    asked = {"purchase_id": "near-p", "reason": "OTHER", "acknowledged": True}
    found = locked.post(path, json=asked, headers=named)
    assert found.status_code == 403
    key = headers(tokens["buyer"], "once more")
    assert locked.post(path, json=asked, headers=key).status_code == 200
    rows = locked.get("/v1/events", params={"columns": "actor_id,actor_role"}, headers=key).json()
    assert rows["rows"][-1] == {"actor_id": "near-buyer", "actor_role": "BUYER"}


def test_a_vendor_answers_the_requests_of_the_own_products_alone(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    key = headers(tokens["vendor"], "decline")
    for account, purchase, status in (
        (FAR, "far-p", 404),
        (FAR, "near-p", 404),
        (OWN, "far-p", 404),
        (OWN, "near-p", 200),
    ):
        path = f"/v1/accounts/{quote(account, safe='')}/commands/DeclineMarketplaceRefund"
        found = locked.post(path, json={"purchase_id": purchase}, headers=key)
        assert found.status_code == status, found.text
    told = locked.get(f"/v1/accounts/{quote(OWN, safe='')}/commands/decline", headers=key)
    assert [each["event"] for each in told.json()["events"]] == ["MarketplaceRefundDeclined"]
    other = f"/v1/accounts/{quote(OWN, safe='')}/commands/near-OpenAccount"
    assert locked.get(other, headers=key).status_code == 404


@pytest.mark.parametrize("role", list(OWNERS))
def test_no_other_command_is_theirs(locked: TestClient, tokens: dict[str, str], role: str) -> None:
    own = {
        "buyer": {"ConfirmService", "RequestMarketplaceRefund", "WithdrawMarketplaceRefund"},
        "vendor": {"ApproveMarketplaceRefund", "DeclineMarketplaceRefund"},
    }[role.removesuffix("s")]
    tried = 0
    for method, path in routes(locked):
        if method != "POST" or path.rpartition("/")[2] in {*own, "signout", "signin"}:
            continue
        if path.endswith("/acts/{name}"):  # each of them: acting/test_own_purchases
            continue
        if any(
            right.operation == "CALL" and right.principal in {"*", role.removesuffix("s")}
            for right in MATRIX.rights_on("route", f"POST {path}")
        ):
            continue
        asked = filled(path, "near", OWN)[0]
        found = locked.post(asked, json={}, headers=headers(tokens[role], "none"))
        assert found.status_code == 403, (path, found.text)
        tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    ("role", "home"), [("buyer", "/lists/accounts"), ("vendor", "/lists/marketplace-requests")]
)
def test_they_begin_with_their_own_list(
    locked: TestClient, tokens: dict[str, str], role: str, home: str
) -> None:
    found = locked.get("/", headers=headers(tokens[role]), follow_redirects=False)
    assert (found.status_code, found.headers["Location"]) == (303, home)


def test_the_tag_of_what_one_sees_is_not_that_of_another(
    locked: TestClient, tokens: dict[str, str], live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        every = {
            "far": people.new_token(connection, "far", ["buyer"], 1, OwnThings(accounts=(FAR,))),
            "finance": people.new_token(connection, "fina", ["finance"], 1),
            "support": people.new_token(connection, "sara", ["support"], 1),
            **{name: tokens[name] for name in ("buyer", "buyers")},
        }
    path = "/v1/refunds"
    tags = [locked.get(path, headers=headers(token)).headers["ETag"] for token in every.values()]
    assert len(set(tags)) == len(every)
    for (name, token), tag in zip(every.items(), [*tags[1:], tags[0]], strict=True):
        told = headers(token) | {"If-None-Match": tag}
        assert locked.get(path, headers=told).status_code == 200, name


def test_the_id_of_anothers_command_tells_a_vendor_nothing(
    locked: TestClient, tokens: dict[str, str], live_ledger: RunningLedger
) -> None:
    """Neither what came of it, nor afterwards, when the own one was refused under the same id."""
    backend = Backend(ledger_of(live_ledger))
    taken = "near-OpenAccount"
    told, at = {"purchase_id": "near-p"}, f"/v1/accounts/{quote(OWN, safe='')}/commands"
    key = headers(tokens["vendor"], taken)
    found = locked.post(f"{at}/DeclineMarketplaceRefund", json=told, headers=key)
    assert (found.status_code, "first_outcome" in found.json()) == (409, False), found.text
    meta = CommandMeta(
        command_id=taken, account_id=OWN, actor=Actor(id="near-vendor", role=Role.VENDOR)
    )
    given = GivenCommand(meta=meta, body=DeclineMarketplaceRefund(purchase_id="near-p"))
    with closing(KafkaTools(backend.ledger.kafka)) as tools:
        tools.publish([command_record(given, backend.partition_count)])
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        wait_until(lambda: len(outcome(connection, OWN, taken)) == 2, "the second outcome")
    assert locked.get(f"{at}/{taken}", headers=key).status_code == 404
    act = f"/accounts/{quote(OWN, safe='')}/acts/DeclineMarketplaceRefund"
    page = locked.get(act, params={"thing": "near-p", "done": taken}, headers=key)
    assert page.status_code == 404
    found = locked.post(f"{at}/DeclineMarketplaceRefund", json=told, headers=key)
    assert found.status_code == 409
    assert "AccountOpened" not in found.text


def test_a_buyer_is_told_what_came_of_the_command_that_had_the_id(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    path = f"/v1/accounts/{quote(OWN, safe='')}/commands/WithdrawMarketplaceRefund"
    key = headers(tokens["buyer"], "near-OpenAccount")
    found = locked.post(path, json={"purchase_id": "near-p"}, headers=key)
    assert found.status_code == 409
    assert found.json()["first_outcome"]["events"][0]["event"] == "AccountOpened"

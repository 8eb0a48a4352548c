"""Sealed texts by HTTP: clear to those who may read them, a word to others and after an erasure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.sealing.master_key import SETTING
from console.web.access import people
from console.web.access.texts import READERS
from console.web.application import application
from console.web.backend import Backend
from tests.console.ledgers import RunningLedger
from tests.console.web.conftest import TESTING
from tests.console.web.serving import ledger_of
from tests.console.web.stories import TICKET, refunded
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)
FORM = "sealed:1:"
ROLES = ("gateway", "finance", "support", "auditor", "operator")


@pytest.fixture
def backend(live_ledger: RunningLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """One that has the master key."""
    file = tmp_path / "master"
    file.write_bytes(b64encode(b"m" * 32) + b"\n")
    file.chmod(0o600)
    monkeypatch.setenv(SETTING, str(file))
    return Backend(ledger_of(live_ledger))


@pytest.fixture
def sealing(backend: Backend) -> Iterator[TestClient]:
    """Nobody has to sign in; its texts are sealed."""
    app = application(backend, everything_open=True, hosts=TESTING)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def tokens(live_ledger: RunningLedger) -> dict[str, dict[str, str]]:
    """The header of each role."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        return {
            role: {"Authorization": f"Bearer {people.new_token(connection, role, [role], 1)}"}
            for role in ROLES
        }


def paths(account: str, refund_id: str, place: str) -> list[str]:
    """Where the API says the text."""
    return [
        f"/v1/refunds?account={account}",
        f"/v1/events?account={account}",
        f"/v1/accounts/{account}/refunds/{refund_id}",
        f"/v1/accounts/{account}/explanations/{refund_id}",
        f"/v1/events/{place}",
        f"/lists/refunds?account={account}",
        f"/lists/events/rows.csv?account={account}",
        f"/accounts/{account}",
        f"/accounts/{account}/events",
        f"/refunds/{refund_id}?account={account}",
    ]


def test_only_those_who_may_read_texts_read_them_and_nobody_the_sealed_form(
    sealing: TestClient, tokens: dict[str, dict[str, str]]
) -> None:
    refund = refunded(sealing, "text-1")
    assert refund["ticket"] == TICKET
    search = {"event": "RefundIssued", "account": "text-1"}
    (event,) = sealing.get("/v1/events/search", params=search).json()["rows"]
    place = f"{event['partition']}/numbers/{event['log_sequence']}"
    locked = TestClient(application(sealing.app.state.backend))  # type: ignore[attr-defined]
    for role, path in (
        (role, path) for role in ROLES for path in paths("text-1", refund["refund_id"], place)
    ):
        for accept in ("application/json", "text/csv"):
            if role == "gateway" and not path.startswith("/v1"):
                continue
            told = locked.get(path, headers=tokens[role] | {"Accept": accept})
            assert told.status_code == 200, (role, path, told.text)
            assert (TICKET in told.text) == (role in READERS), (role, path)
            assert FORM not in told.text, (role, path)


def test_the_second_person_reads_what_is_to_be_approved(
    sealing: TestClient, backend: Backend, tokens: dict[str, dict[str, str]]
) -> None:
    refunded(sealing, "text-3")
    backend.limits = {"CNY": 1_00}
    body = {"purchase_id": "p-1", "ticket": TICKET, "amount": "2.00"}
    found = give(sealing, "text-3", "RefundMarketplaceManually", body, "second", "SUPPORT:s-1")
    assert (found.status_code, found.json()["outcome"]) == (202, "waiting"), found.text
    locked = TestClient(application(backend))
    where = found.headers["Location"]
    for role in ROLES:
        for path in ("/approvals", "/v1/approvals", where)[role == "gateway" :]:
            told = locked.get(path, headers=tokens[role])
            assert told.status_code == 200, (role, path, told.text)
            assert (TICKET in told.text) == (role in READERS), (role, path)
            assert FORM not in told.text, (role, path)
    declined = locked.post(f"{where}/decline", headers=tokens["support"])
    assert declined.json()["body"]["ticket"] == TICKET


def test_after_an_erasure_everybody_sees_that_it_is_erased(
    sealing: TestClient, live_ledger: RunningLedger
) -> None:
    refund = refunded(sealing, "text-2")
    with psycopg.connect(live_ledger.database_url) as connection:
        connection.execute(
            "UPDATE secrets.account_keys SET wrapped = NULL, destroyed_at = now()"
            " WHERE account_id = 'text-2'"
        )
    for path in (
        "/v1/refunds?account=text-2",
        f"/v1/accounts/text-2/explanations/{refund['refund_id']}",
    ):
        told = sealing.get(path).text
        assert "erased" in told
        assert TICKET not in told
        assert FORM not in told

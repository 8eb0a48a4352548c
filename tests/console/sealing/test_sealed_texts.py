"""Texts of a running ledger are sealed in both topics, and shown to whoever has the master key."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.doctor.checks.reactions.erased_keys import erased_keys
from console.doctor.finding import Finding, Severity
from console.doctor.patient import Patient
from console.running.ledger_locator import find_ledger
from console.running.settings import read_settings
from console.sealing.account_keys import AccountKeys
from console.sealing.master_key import SETTING, MasterKey
from console.web.application import application
from console.web.backend import Backend
from consumers.clock import WallClock
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from ledger.values.instants import HOUR, Instant
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Ran, Terminal

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TICKET = "T-17 of Ann Example"


@pytest.fixture
def live(terminal: Terminal, live_ledger: RunningLedger, tmp_path: Path) -> Terminal:
    """A terminal on the module's ledger, with a master key."""
    terminal.use({**live_ledger.environment, SETTING: master_key(tmp_path / "master", b"m")})
    return terminal


def master_key(path: Path, byte: bytes) -> str:
    """A file with a master key."""
    path.write_bytes(b64encode(byte * 32) + b"\n")
    path.chmod(0o600)
    return str(path)


def given(account: str, name: str, actor: str, body: dict[str, Any]) -> dict[str, Any]:
    """A line of a command file; the command's name is its id."""
    role, _, who = actor.partition(":")
    actor_ = {"id": who, "role": role}
    return {"command": name, "id": name, "account": account, "actor": actor_, "body": body}


def manual(account: str, ticket: str = TICKET) -> dict[str, Any]:
    """A manual refund under a ticket."""
    body = {"purchase_id": "p-1", "ticket": ticket, "amount": "1.00"}
    return given(account, "RefundMarketplaceManually", "SUPPORT:s-1", body)


def bought(account: str) -> list[dict[str, Any]]:
    """An account with a purchase."""
    opening = {"account_type": "ONLINE", "us_government": False, "currency": "CNY"}
    purchase = {
        "purchase_id": "p-1",
        "product_kind": "SAAS",
        "vendor_id": "v-1",
        "buyer_id": "b-1",
        "paid": {"cash": "200.00", "gift": "0.00", "voucher": "0.00"},
        "purchased_at": "2026-07-01T02:00:00Z",
    }
    return [
        given(account, "OpenAccount", "BILLING:billing", opening),
        given(account, "RecordMarketplacePurchase", "BILLING:billing", purchase),
    ]


def submit(terminal: Terminal, *lines: dict[str, Any]) -> Ran:
    """Submit lines from standard input."""
    text = "\n".join(map(json.dumps, lines))
    return terminal.run("submit", "-", "--json", stdin=text)


def shown_ticket(terminal: Terminal, account: str) -> str:
    """The ticket of the account's refund, as a query shows it."""
    (row,) = terminal.run("query", "refunds", "--account", account, "--json").objects
    (step,) = [each for each in row["working"] if each["step"] == "manual_refund"]
    assert step["inputs"]["ticket"] == row["ticket"]
    return str(row["ticket"])


def test_neither_topic_has_the_text_and_its_owner_reads_it(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    ran = submit(live, *bought("seal-1"), manual("seal-1"))
    assert [each["outcome"] for each in ran.objects] == ["accepted"] * 3, ran

    for topic in (Topic.COMMANDS, Topic.EVENTS):
        with closing(KafkaTools(live_ledger.kafka)) as tools:
            values = b"".join(each.value or b"" for each in tools.replay(topic))
        assert TICKET.encode() not in values
        assert b"sealed:1:1:" in values
    assert shown_ticket(live, "seal-1") == TICKET
    told = live.run("explain", "RefundMarketplaceManually", "--account", "seal-1", "--json")
    assert told.objects[0]["asked"]["body"]["ticket"] == TICKET
    events = live.run("query", "events", "--account", "seal-1", "--json").objects
    assert TICKET in json.dumps(events)


def test_a_command_by_http_is_sealed_and_known_again(live: Terminal) -> None:
    submit(live, *bought("seal-12"))
    application_ = application(Backend(find_ledger(read_settings())), everything_open=True)
    body = manual("seal-12")["body"]
    told = {"Idempotency-Key": "by-http", "Refunds-Actor": "SUPPORT:s-1"}
    path = "/v1/accounts/seal-12/commands/RefundMarketplaceManually"
    with TestClient(application_, base_url="http://localhost") as client:
        first = client.post(path, json=body, headers=told)
        again = client.post(path, json=body, headers=told)
        long = client.post(path, json=body | {"ticket": "x" * 150}, headers=told)
        lines = [manual("seal-12", ticket="x" * 150) | {"id": "long"}, manual("seal-12")]
        text = "\n".join(map(json.dumps, lines))
        batch = client.post("/v1/batches", content=text).text.splitlines()
        rows = client.get("/v1/refunds", params={"account": "seal-12"}).json()["rows"]
    assert first.status_code == 200, first.json()
    assert again.json() == first.json()
    assert long.status_code == 422
    assert [json.loads(each)["status"] for each in batch] == [422, 200]
    assert [row["ticket"] for row in rows] == [TICKET, TICKET]


def test_a_repeated_command_is_a_duplicate(live: Terminal) -> None:
    submit(live, *bought("seal-2"), manual("seal-2"))
    (again,) = submit(live, manual("seal-2")).objects
    assert again["outcome"] == "duplicate"


def test_without_the_master_key_a_word_is_shown_and_texts_stay_clear(
    live: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(live, *bought("seal-3"), manual("seal-3"))
    monkeypatch.delenv(SETTING)
    assert shown_ticket(live, "seal-3") == "sealed"
    submit(live, *bought("seal-4"), manual("seal-4"))
    assert shown_ticket(live, "seal-4") == TICKET


def test_with_another_master_key_the_next_step_is_named(
    live: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    submit(live, *bought("seal-5"), manual("seal-5"))
    monkeypatch.setenv(SETTING, master_key(tmp_path / "other", b"o"))
    ran = live.run("query", "refunds", "--account", "seal-5")
    assert ran.code != 0
    assert f"set {SETTING}" in ran.err


def test_a_text_that_is_too_long_once_it_is_sealed_is_named(live: Terminal) -> None:
    ran = submit(live, *bought("seal-6"), manual("seal-6", ticket="x" * 108))
    assert ran.code != 0
    assert ran.out == ""
    assert "ticket of 108 characters is too long to be sealed" in ran.err
    ran = submit(live, *bought("seal-6"), manual("seal-6", ticket="x" * 107))
    assert [each["outcome"] for each in ran.objects] == ["accepted"] * 3, ran


def test_a_destroyed_key_is_told_and_the_next_text_gets_the_next_number(
    live: Terminal, live_ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(live, *bought("seal-7"), manual("seal-7"))
    with psycopg.connect(live_ledger.database_url) as connection:
        connection.execute(
            "UPDATE secrets.account_keys SET wrapped = NULL, destroyed_at = now()"
            " WHERE account_id = 'seal-7'"
        )
    assert shown_ticket(live, "seal-7") == "erased"
    another = manual("seal-7") | {"id": "another"}
    submit(live, another)
    rows = live.run("query", "refunds", "--account", "seal-7", "--json").objects
    assert [row["ticket"] for row in rows] == ["erased", TICKET]
    monkeypatch.delenv(SETTING)
    rows = live.run("query", "refunds", "--account", "seal-7", "--json").objects
    assert [row["ticket"] for row in rows] == ["erased", "sealed"]


def test_an_erasure_leaves_a_log_that_is_audited_clean(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    submit(live, *bought("seal-8"), manual("seal-8"))
    ran = live.run("erase", "--account", "seal-8", "--actor", "anna")
    assert (ran.code, ran.err) == (0, "")
    assert "the sealed texts of seal-8 are erased (keys 1 to 1)" in ran.out

    assert shown_ticket(live, "seal-8") == "erased"
    told = live.run("explain", "RefundMarketplaceManually", "--account", "seal-8", "--json")
    assert told.objects[0]["asked"]["body"]["ticket"] == "erased"
    with psycopg.connect(live_ledger.database_url) as connection:
        keys = connection.execute(
            "SELECT number, wrapped IS NULL FROM secrets.account_keys"
            " WHERE account_id = 'seal-8' ORDER BY 1"
        ).fetchall()
    assert keys == [(1, True), (2, False)]
    audited = live.run("audit", "verify")
    assert audited.code == 0, audited
    reconciled = live.run("reconcile")
    assert reconciled.code == 0, reconciled


def test_the_next_text_after_an_erasure_is_readable(live: Terminal) -> None:
    submit(live, *bought("seal-9"), manual("seal-9"))
    live.run("erase", "--account", "seal-9")
    submit(live, manual("seal-9", ticket="T-18") | {"id": "another"})
    rows = live.run("query", "refunds", "--account", "seal-9", "--json").objects
    assert [row["ticket"] for row in rows] == ["erased", "T-18"]


def test_an_erasure_that_was_left_in_the_middle_is_finished_by_the_next(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    """The next key was made, and the program ended before it gave the command."""
    submit(live, *bought("seal-13"), manual("seal-13"))
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        keys = AccountKeys(connection, MasterKey(b"m" * 32))
        assert keys.begin_after("seal-13", 1)
    submit(live, manual("seal-13") | {"id": "under-key-2"})
    ran = live.run("erase", "--account", "seal-13")
    assert "the sealed texts of seal-13 are erased (keys 1 to 2)" in ran.out, ran
    rows = live.run("query", "refunds", "--account", "seal-13", "--json").objects
    assert [row["ticket"] for row in rows] == ["erased", "erased"]


def test_an_erasure_that_is_ordered_twice_destroys_no_later_key(live: Terminal) -> None:
    submit(live, *bought("seal-14"), manual("seal-14"))
    live.run("erase", "--account", "seal-14")
    submit(live, manual("seal-14", ticket="T-18") | {"id": "another"})
    again = given("seal-14", "EraseSubject", "SUPPORT:s-1", {"key_number": 1})
    far = given("seal-14", "EraseSubject", "SUPPORT:s-1", {"key_number": 99}) | {"id": "far"}
    (refused,) = submit(live, again).objects
    assert refused["outcome"] == "refused"
    assert "account seal-14 has no key 99" in submit(live, far).err
    rows = live.run("query", "refunds", "--account", "seal-14", "--json").objects
    assert [row["ticket"] for row in rows] == ["erased", "T-18"]


def test_keys_of_an_older_backup_go_on_after_the_erasures_in_the_log(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    submit(live, *bought("seal-15"), manual("seal-15"))
    live.run("erase", "--account", "seal-15")
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM secrets.account_keys WHERE account_id = 'seal-15'")
    submit(live, manual("seal-15", ticket="T-18") | {"id": "another"})
    rows = live.run("query", "refunds", "--account", "seal-15", "--json").objects
    assert [row["ticket"] for row in rows] == ["damaged", "T-18"]


def test_texts_that_were_never_sealed_are_counted(
    live: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.delenv(SETTING)
        submit(live, *bought("seal-10"), manual("seal-10"))
    ran = live.run("erase", "--account", "seal-10")
    assert ran.out.splitlines() == [
        "no text of seal-10 is sealed; nothing is erased",
        "1 texts of seal-10 were never sealed and stay readable",
    ]


def test_a_clear_text_that_begins_as_a_sealed_one_is_counted(
    live: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.delenv(SETTING)
        submit(live, *bought("seal-16"), manual("seal-16", ticket="sealed:1: see T-18"))
    ran = live.run("erase", "--account", "seal-16")
    assert "1 texts of seal-16 were never sealed and stay readable" in ran.out


def test_a_key_that_outlived_its_erasure_is_found(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    submit(live, *bought("seal-11"), manual("seal-11"))
    live.run("erase", "--account", "seal-11")

    def found() -> list[Finding]:
        with ExitStack() as stack:
            return list(erased_keys(Patient(read_settings(), stack, clock=InAnHour())))

    assert [each.severity for each in found()] == [Severity.FINE]
    with psycopg.connect(live_ledger.database_url) as connection:
        connection.execute(
            "UPDATE secrets.account_keys SET wrapped = 'k', destroyed_at = NULL"
            " WHERE account_id = 'seal-11' AND number = 1"
        )
    (finding,) = found()
    assert finding.severity is Severity.ERROR
    assert "seal-11 (1)" in finding.what


class InAnHour:
    """The wall clock, an hour ahead."""

    def now(self) -> Instant:
        """The instant."""
        return WallClock().now() + HOUR


@pytest.mark.parametrize("content", ["", "AAAA", "no base64", "é"])
def test_a_file_that_is_no_master_key_is_refused(
    live: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "wrong"
    file.write_text(content)
    file.chmod(0o600)
    monkeypatch.setenv(SETTING, str(file))
    ran = live.run("query", "refunds")
    assert ran.code != 0
    assert f"{SETTING} {file}: " in ran.err

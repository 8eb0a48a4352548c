"""Texts of a running ledger are sealed in both topics, and shown to whoever has the master key."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.sealing.master_key import SETTING
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Ran, Terminal

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TICKET = "T-17 of Ann Example"


@pytest.fixture
def live(terminal: Terminal, live_ledger: RunningLedger, tmp_path: Path) -> Terminal:
    """A terminal on the module's ledger, with a master key."""
    terminal.use(live_ledger.environment | {SETTING: master_key(tmp_path / "master", b"m")})
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
    ran = submit(live, *bought("seal-6"), manual("seal-6", ticket="x" * 150))
    assert ran.code != 0
    assert "ticket of 150 characters is too long to be sealed" in ran.err


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


@pytest.mark.parametrize("content", ["", "AAAA", "no base64", "é"])
def test_a_file_that_is_no_master_key_is_refused(
    live: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "wrong"
    file.write_text(content)
    os.chmod(file, 0o600)
    monkeypatch.setenv(SETTING, str(file))
    ran = live.run("query", "refunds")
    assert ran.code != 0
    assert f"{SETTING} {file}: " in ran.err

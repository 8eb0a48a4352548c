"""`quote` shows the working, asks, and acts at exactly what was quoted; `explain` says why."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from ledger.wire.avro.codec import decode_event
from tests.console.ledgers import RunningLedger
from tests.console.submitting.test_live import text_of
from tests.console.virtual_terminal import Ran, Terminal

pytestmark = pytest.mark.timeout(600)

BILLING = {"id": "billing", "role": "BILLING"}


@pytest.fixture
def live(terminal: Terminal, live_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's ledger."""
    terminal.use(live_ledger.environment)
    return terminal


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's sandbox."""
    terminal.use(sandbox_ledger.environment)
    return terminal


def given(
    terminal: Terminal, account: str, *commands: tuple[str, dict[str, Any]], **at: str
) -> str:
    """These commands by billing are accepted; the account."""
    lines = [
        {"command": name, "id": f"c-{n}", "account": account, "actor": BILLING, "body": body, **at}
        for n, (name, body) in enumerate(commands)
    ]
    ran = terminal.run("submit", "-", "--strict", stdin=text_of(*lines))
    assert ran.code == 0, ran.out + ran.err
    return account


def opened(account_type: str = "ONLINE", currency: str = "CNY") -> tuple[str, dict[str, Any]]:
    body = {"account_type": account_type, "us_government": False, "currency": currency}
    return "OpenAccount", body


def ordered(starts: int = 2035, channel: str = "STANDARD") -> tuple[str, dict[str, Any]]:
    """i-1 is bought for a year, 200.00 cash and 207.96 gift."""
    line = {
        "instance_id": "i-1",
        "product": "redis",
        "region": "gz",
        "paid": {"cash": "200.00", "gift": "207.96", "voucher": "100.00"},
        "components": [
            {"name": "node", "list_monthly": "51", "payg": [{"from_hours": 0, "hourly": "0.42"}]}
        ],
    }
    body = {
        "order_id": "o-1",
        "kind": "NEW",
        "channel": channel,
        "starts_at": f"{starts}-01-05T08:00:00Z",
        "ends_at": f"{starts + 1}-01-05T08:00:00Z",
        "lines": [line],
    }
    return "RecordInstanceOrder", body


def reserved() -> tuple[str, dict[str, Any]]:
    """r-1 is bought for three years, two of it."""
    body = {
        "reservation_id": "r-1",
        "product_type": "VirtualMachines",
        "sku": "Standard_F1",
        "region": "eastus",
        "quantity": 2,
        "term_months": 36,
        "starts_on": "2035-01-01",
        "total": "1000.00",
        "billing_plan": "UPFRONT",
        "payment": {"method": "INVOICE", "invoice_id": "inv-1"},
        "owners": ["u-1"],
    }
    return "RecordReservationPurchase", body


def new_account() -> str:
    return f"acct-{uuid.uuid4().hex[:8]}"


def deal(terminal: Terminal, account: str, *words: object, answer: str = "") -> Ran:
    """Quote as u-1."""
    return terminal.run("quote", *words, "-a", account, "--actor", "u-1", stdin=answer)


def last_commands(ledger: RunningLedger, account: str) -> list[str]:
    """The events of the account."""
    tools = KafkaTools(ledger.kafka)
    try:
        events = [decode_event(found.value) for found in tools.replay(Topic.EVENTS)]
    finally:
        tools.close()
    return [event.name for event in events if event.meta.account_id == account]


def test_whoever_agrees_gets_what_was_quoted(live: Terminal) -> None:
    account = given(live, new_account(), opened(), ordered())

    ran = deal(live, account, "instance-return", "i-1", answer="y\n")

    assert ran.code == 0, ran.err
    assert "working   1. paid = 407.96 CNY\n" in ran.out
    assert "the quote is 407.96 CNY and is valid until " in ran.out
    assert "do you agree? It acts at 407.96 CNY" in ran.out
    assert "RefundIssued" in ran.out
    assert f"--account {account}\n" in ran.out


def test_whoever_does_not_agree_changes_nothing(live: Terminal, live_ledger: RunningLedger) -> None:
    account = given(live, new_account(), opened(), ordered())

    for answer in ("n\n", ""):
        ran = deal(live, account, "instance-return", "i-1", answer=answer)
        assert ran.code == 0
        assert "nothing was done; the quote is valid until " in ran.out
    assert last_commands(live_ledger, account)[-2:] == ["InstanceReturnQuoted"] * 2


def test_what_would_be_refused_is_told_and_not_acted_on(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    account = given(live, new_account(), opened(), ordered(channel="PROMOTION"))

    ran = deal(live, account, "instance-return", "i-1", "--yes")

    assert ran.code == 1
    assert "violated  SELF_SERVICE_NOT_SUPPORTED by promotion_order: " in ran.out
    assert "at present the command would be refused" in ran.out
    assert last_commands(live_ledger, account)[-1] == "InstanceReturnQuoted"


def test_a_quote_that_is_refused_says_why(live: Terminal) -> None:
    account = given(live, new_account(), opened(), ordered())
    ran = deal(live, account, "instance-return", "i-9", "--yes")
    assert ran.code == 1
    assert "REFUSED\n    NOT_FOUND (" in ran.out


def test_part_of_a_reservation_is_given_back(live: Terminal) -> None:
    account = given(live, new_account(), opened("CSP", "USD"), reserved())
    words = ("reservation-refund", "r-1", "--quantity", 1, "--json")

    (asked,) = deal(live, account, *words).objects
    assert asked["act"] is None
    assert asked["quote"]["events"][0]["body"]["amount"] == "500.00"

    (acted,) = deal(live, account, *words, "--yes").objects
    assert acted["act"]["outcome"] == "accepted"
    names = [event["event"] for event in acted["act"]["events"]]
    assert names == ["ReservationCancelled", "RefundIssued"]


def test_reservations_are_exchanged(live: Terminal, tmp_path: Path) -> None:
    account = given(live, new_account(), opened("CSP", "USD"), reserved())
    new = {
        **{name: value for name, value in reserved()[1].items() if name not in _NOT_NEW},
        "reservation_id": "r-9",
        "total": "2000.00",
    }
    file = tmp_path / "new.json"
    file.write_text(json.dumps(new))

    ran = deal(
        live, account, "reservation-exchange", "--return", "r-1=2", "--purchase", file, "--yes"
    )

    assert ran.code == 0, ran.out + ran.err
    assert "the quote is 1000.00 USD and is valid until " in ran.out
    assert "ReservationExchanged" in ran.out


def test_an_instance_is_made_smaller_and_runs_on(live: Terminal, tmp_path: Path) -> None:
    """A configuration that costs nothing leaves all of the money to be given back."""
    account = given(live, new_account(), opened(), ordered())
    free = {"name": "node", "list_monthly": "0", "payg": [{"from_hours": 0, "hourly": "0"}]}
    file = tmp_path / "smaller.json"
    file.write_text(json.dumps({"components": [free]}))

    ran = deal(live, account, "instance-downgrade", "i-1", "--configuration", file, "--yes")

    assert ran.code == 0, ran.out + ran.err
    assert "the quote is 407.96 CNY and is valid until " in ran.out
    assert "InstanceDowngraded" in ran.out
    file.write_text("[]")
    ran = deal(live, account, "instance-downgrade", "i-1", "--configuration", file, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "is no object" in ran.err


_NOT_NEW = ("starts_on", "owners")


def test_a_field_that_is_wrong_is_named_and_nothing_is_published(live: Terminal) -> None:
    account = given(live, new_account(), opened("CSP", "USD"), reserved())
    ran = deal(live, account, "reservation-refund", "r-1", "--quantity", 0)
    assert (ran.code, ran.out) == (2, "")
    assert "body.quantity" in ran.err
    ran = deal(live, account, "reservation-exchange", "--return", "r-1=x", "--purchase", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "'x' is not a quantity" in ran.err


def test_a_refund_of_the_running_ledger_is_explained(live: Terminal) -> None:
    account = given(live, new_account(), opened(), ordered())
    (acted,) = deal(live, account, "instance-return", "i-1", "--yes", "--json").objects
    refund_id = acted["act"]["events"][1]["body"]["refund_id"]

    (by_refund,) = live.run("explain", refund_id, "--json").objects
    (by_command,) = live.run("explain", acted["act"]["id"], "-a", account, "--json").objects

    assert by_refund["asked"]["command"] == "ReturnInstance"
    assert by_refund["asked"]["body"]["confirmed_amount"] == "407.96"
    assert by_refund["working"] == by_command["working"]
    assert by_refund["terms"]["five_days_hours"] == 120
    (issued,) = (e for e in by_refund["events"] if e["event"] == "RefundIssued")
    assert issued["offset"] >= issued["log_sequence"]
    assert [e["event"] for e in by_refund["rests_on"]] == [
        "InstanceOrderRecorded",
        "InstanceReturnQuoted",
    ]


def test_what_the_running_ledger_does_not_know_is_named(live: Terminal) -> None:
    ran = live.run("explain", "c-nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "the ledger has no refund and no command 'c-nobody'" in ran.err
    assert "has no account 'acct-none'" in live.run("explain", "c-1", "-a", "acct-none").err


def test_on_a_sandbox_the_deal_is_made_at_its_own_instant(sandbox: Terminal) -> None:
    at = {"at": "2026-01-06T08:00:00Z"}
    account = given(sandbox, new_account(), opened(), ordered(2026), **at)

    ran = deal(sandbox, account, "instance-return", "i-1", answer="y\n")

    assert ran.code == 0, ran.out + ran.err
    assert "asked     decided 2026-01-06T08:00:00Z" in ran.out
    assert "the quote is 407.96 CNY and is valid until 2026-01-06T08:15:00Z" in ran.out
    assert "BalanceCredited" in ran.out

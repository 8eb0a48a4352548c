"""Submitting to a ledger in the world's own time: batches out, each line's outcome back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.submitting.live_listener import Listener
from console.submitting.live_submission import LiveSubmission
from console.submitting.outcomes import Kind
from devstack import Services
from ledger.log.seam import Outgoing, Published, Topic
from ledger.wire.json.command_file import read_command_file
from ledger.wire.json.command_lines import CommandLine
from tests import services as real
from tests.console.golden_files import EXAMPLES
from tests.console.ledgers import RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def live(terminal: Terminal, live_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's ledger."""
    terminal.use(live_ledger.environment)
    return terminal


@pytest.fixture
def listener(live_ledger: RunningLedger) -> Iterator[Listener]:
    found = Listener(live_ledger.kafka)
    yield found
    found.close()


def opening(account: str, command_id: str = "c-1") -> dict[str, Any]:
    return {
        "command": "OpenAccount",
        "id": command_id,
        "account": account,
        "actor": {"id": "billing", "role": "BILLING"},
        "body": {"account_type": "ONLINE", "us_government": False, "currency": "CNY"},
    }


def lines(*commands: dict[str, Any]) -> list[CommandLine]:
    text = "\n".join(json.dumps(command) for command in commands)
    found = read_command_file(text.encode(), require_at=False)
    assert not found.problems
    return [line for line in found.lines if isinstance(line, CommandLine)]


def text_of(*commands: dict[str, Any]) -> str:
    return "\n".join(json.dumps(command) for command in commands)


def new_account() -> str:
    return f"acct-{uuid.uuid4().hex[:8]}"


def submission(listener: Listener, patience_seconds: float = 60.0) -> LiveSubmission:
    return LiveSubmission(
        listener, lambda *_: None, lambda _: {}, patience_seconds=patience_seconds
    )


def test_the_example_is_quoted_returned_and_refused(live: Terminal) -> None:
    ran = live.run("submit", EXAMPLES / "live" / "orders.jsonl", "--json")

    assert (ran.code, ran.err) == (0, "")
    outcomes = {each["id"]: each for each in ran.objects}
    assert [outcomes[f"c-{n}"]["outcome"] for n in range(1, 6)] == [*["accepted"] * 4, "refused"]
    names = [event["event"] for event in outcomes["c-4"]["events"]]
    assert names == ["InstanceIsolated", "RefundIssued"]
    assert outcomes["c-5"]["violations"][0]["code"] == "RENEWAL_REQUIRED"

    again = live.run("submit", EXAMPLES / "live" / "orders.jsonl", "--json").objects
    assert {each["outcome"] for each in again} == {"duplicate"}
    assert again[-1]["first_outcome"]["refused"] is True


def test_a_file_with_instants_is_turned_away(live: Terminal, live_ledger: RunningLedger) -> None:
    ran = live.run("submit", EXAMPLES / "01-five-days.jsonl")

    assert (ran.code, ran.out) == (2, "")
    assert "line 1, at: found" in ran.err
    assert "only a sandbox takes instants from a file" in ran.err
    assert "line 8, command: found AdvanceClock" in ran.err


def test_the_clock_of_a_ledger_in_the_worlds_time_cannot_be_moved(live: Terminal) -> None:
    ran = live.run("clock", "advance", "7d")
    assert (ran.code, ran.out) == (2, "")
    assert "refundctl up --sandbox" in ran.err


def test_many_lines_travel_together_and_each_has_its_outcome(live: Terminal) -> None:
    account = new_account()
    standing = [
        {
            **opening(account, f"s-{number}"),
            "command": "SetAccountStanding",
            "body": {"in_arrears": number % 2 == 0},
        }
        for number in range(1_000)
    ]

    ran = live.run("submit", "-", "--json", stdin=text_of(opening(account), *standing, standing[0]))

    assert ran.code == 0
    kinds = [each["outcome"] for each in ran.objects]
    assert (kinds.count("accepted"), kinds.count("duplicate")) == (1_001, 1)
    assert {each["line"] for each in ran.objects} == set(range(1, 1_003))


def test_an_id_used_again_with_other_content_is_refused(live: Terminal) -> None:
    account = new_account()
    other = {**opening(account), "actor": {"id": "someone", "role": "BILLING"}}

    ran = live.run("submit", "-", stdin=text_of(opening(account), other))

    assert ran.code == 0
    assert "COMMAND_ID_REUSED" in ran.out
    assert ran.out.endswith("1 accepted, 1 refused\n")


def test_no_wait_publishes_and_asks_nothing(live: Terminal, listener: Listener) -> None:
    account = new_account()
    ran = live.run("submit", "-", "--no-wait", stdin=text_of(opening(account)))
    assert (ran.code, ran.out[:20]) == (0, "published 1 commands")

    asked = live.run("submit", "-", "--json", stdin=text_of(opening(account))).objects
    assert asked[0]["outcome"] == "duplicate"


def test_no_wait_cannot_act_on_a_quote(live: Terminal) -> None:
    ran = live.run("submit", EXAMPLES / "live" / "orders.jsonl", "--no-wait")
    assert (ran.code, ran.out) == (2, "")
    assert "line 4 refers to the result of an earlier line" in ran.err


class CountingListener(Listener):
    """Counts what it publishes."""

    published = 0

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        self.published += len(records)
        return super().publish(records)


def test_no_more_is_under_way_than_is_allowed(
    live_ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.submitting.live_submission.BATCH_LINES", 10)
    monkeypatch.setattr("console.submitting.live_submission.IN_FLIGHT_LINES", 30)
    listener = CountingListener(live_ledger.kafka)
    known = 0
    try:
        given = lines(*(opening(new_account()) for _ in range(200)))
        for outcome in submission(listener).outcomes(iter(given)):
            assert outcome.kind is Kind.ACCEPTED
            assert listener.published - known <= 30
            known += 1
    finally:
        listener.close()
    assert (listener.published, known) == (200, 200)


class DamagingListener(Listener):
    """Every record it publishes is damaged on its way."""

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        return super().publish([replace(r, value=(r.value or b"") + b"\x00") for r in records])


def test_a_dead_letter_is_told_with_its_reason(live_ledger: RunningLedger) -> None:
    listener = DamagingListener(live_ledger.kafka)
    (outcome,) = submission(listener).outcomes(lines(opening(new_account())))
    listener.close()

    assert outcome.kind is Kind.DEAD_LETTER
    assert "trailing" in outcome.reason or outcome.reason


def test_what_nobody_decides_is_unknown_and_told_so(services: Services, tmp_path: Path) -> None:
    with (
        real.fresh_database(services.database_url) as url,
        running_ledger(services.bootstrap, url, tmp_path, sandbox=False, processes=()) as undecided,
    ):
        listener = Listener(undecided.kafka)
        sent = submission(listener, patience_seconds=0.5)
        (outcome,) = sent.outcomes(lines(opening(new_account())))
        ends = listener.tools.end_offsets(Topic.COMMANDS)
        listener.close()

    assert sum(ends) == 1
    assert outcome.kind is Kind.UNKNOWN
    assert "submit the same file again" in outcome.reason


def test_a_ledger_that_is_no_sandbox_cannot_be_made_one(
    live: Terminal, live_ledger: RunningLedger
) -> None:
    ran = live.run("init", "--sandbox")
    assert ran.code == 1
    assert "was opened as not a sandbox, and stays so" in ran.err


def test_a_broker_that_does_not_answer_is_named(live: Terminal) -> None:
    live.use({"KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    ran = live.run("submit", "-", stdin=text_of(opening(new_account())))

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: no Kafka broker answers at 127.0.0.1:1 within")
    assert "refundctl up" in ran.err
    assert ran.err.count("\n") == 1


def test_brokers_without_the_ledgers_topics_are_told(live: Terminal) -> None:
    live.use({"REFUNDS_PREFIX": "nothing-"})
    ran = live.run("submit", "-", stdin=text_of(opening(new_account())))

    assert (ran.code, ran.out) == (1, "")
    assert "has no topic nothing-refunds.commands.v1" in ran.err


def test_another_partition_count_is_refused_by_every_door(live: Terminal) -> None:
    live.use({"REFUNDS_PARTITIONS": "3"})
    ran = live.run("submit", "-", stdin=text_of(opening(new_account())))

    assert (ran.code, ran.out) == (1, "")
    assert "partitions is 2, must be 3" in ran.err

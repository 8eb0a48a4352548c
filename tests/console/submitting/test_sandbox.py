"""A running sandbox gives the same events as the simulation, and its time goes when told to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from ledger.wire.avro.codec import decode_event
from ledger.wire.json.mapping import event_to_json
from tests.console.golden_files import EXAMPLES, example_files, golden_of
from tests.console.ledgers import RunningLedger
from tests.console.submitting.test_bad_input import OPEN
from tests.console.virtual_terminal import Ran, Terminal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's sandbox."""
    terminal.use(sandbox_ledger.environment)
    return terminal


@pytest.fixture(scope="module")
def played(sandbox_ledger: RunningLedger) -> set[str]:
    """The examples that were submitted already; the sandbox takes them in order, once."""
    return set()


def submitted(sandbox: Terminal, played: set[str], name: str) -> None:
    """Have the examples up to this one submitted."""
    for example in example_files():
        if example.name not in played:
            ran = sandbox.run("submit", example, "--json")
            assert (ran.code, ran.err) == (0, "")
            played.add(example.name)
        if example.name == name:
            return


def by_account(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        found.setdefault(event["account"], []).append(event)
    return found


def recorded(ledger: RunningLedger) -> dict[str, list[dict[str, Any]]]:
    """Every event of every account, from offset 0 of the real topic."""
    tools = KafkaTools(ledger.kafka)
    try:
        events = [decode_event(found.value) for found in tools.replay(Topic.EVENTS)]
    finally:
        tools.close()
    return by_account([event_to_json(event) for event in events if event.meta.account_id])


@pytest.mark.parametrize("name", [example.name for example in example_files()])
def test_an_example_gives_the_events_of_its_simulation(
    sandbox: Terminal, sandbox_ledger: RunningLedger, played: set[str], name: str
) -> None:
    submitted(sandbox, played, name)
    simulated = by_account(Ran(code=0, out=golden_of(EXAMPLES / name).read_text(), err="").objects)
    on_the_log = recorded(sandbox_ledger)

    for account, events in simulated.items():
        # What comes of deadlines after the last line belongs to whoever lets time go on.
        assert on_the_log[account][: len(events)] == events


def test_the_outcomes_say_what_was_recorded(sandbox: Terminal, played: set[str]) -> None:
    submitted(sandbox, played, example_files()[-1].name)
    again = sandbox.run("submit", EXAMPLES / "01-five-days.jsonl", "--json")

    assert again.code == 0
    assert {each["outcome"] for each in again.objects} == {"duplicate"}
    firsts = [each["first_outcome"]["event_names"] for each in again.objects]
    assert firsts[:2] == [["AccountOpened"], ["InstanceOrderRecorded"]]
    assert "earlier lines are decided then" in again.err


def test_strict_counts_a_refusal_as_a_failure(sandbox: Terminal, played: set[str]) -> None:
    submitted(sandbox, played, example_files()[-1].name)
    later = '"at": "2046-01-01T00:00:00Z"'
    line = (
        f'{{{later}, "command": "QuoteInstanceReturn", "id": "c-1", "account": "acct-nobody",'
        ' "actor": {"id": "u-1", "role": "OWNER"}, "body": {"instance_id": "i-1"}}'
    )

    ran = sandbox.run("submit", "-", "--strict", stdin=line)

    assert ran.code == 1
    assert "REFUSED\n    NOT_FOUND (" in ran.out
    assert ran.out.endswith("1 refused\n")


def test_a_bad_file_publishes_nothing(
    sandbox: Terminal, sandbox_ledger: RunningLedger, played: set[str]
) -> None:
    submitted(sandbox, played, example_files()[-1].name)
    tools = KafkaTools(sandbox_ledger.kafka)
    before = tools.end_offsets(Topic.COMMANDS)
    text = (EXAMPLES / "01-five-days.jsonl").read_text("utf-8")

    ran = sandbox.run("submit", "-", stdin=text + '{"at": "2026-01-21T00:00:00Z"}\n')

    assert ran.code == 2
    assert "line 9, command: found nothing" in ran.err
    assert tools.end_offsets(Topic.COMMANDS) == before
    tools.close()


def test_a_bare_amount_is_in_the_currency_of_the_running_account(
    sandbox: Terminal, played: set[str]
) -> None:
    submitted(sandbox, played, example_files()[-1].name)
    without_opening = (EXAMPLES / "05-promotion-order.jsonl").read_text("utf-8").splitlines()[1:]

    ran = sandbox.run("submit", "-", "--json", stdin="\n".join(without_opening))

    assert ran.code == 0
    assert ran.objects[0]["outcome"] == "duplicate"


def test_no_wait_is_not_for_a_sandbox(sandbox: Terminal) -> None:
    ran = sandbox.run("submit", EXAMPLES / "09-refusals.jsonl", "--no-wait")
    assert (ran.code, ran.out) == (2, "")
    assert "leave out --no-wait" in ran.err


def test_the_clock_moves_on_and_deadlines_fire_on_the_way(
    sandbox: Terminal, played: set[str]
) -> None:
    submitted(sandbox, played, example_files()[-1].name)
    sandbox.run("clock", "set", "2047-01-01T00:00:00Z")
    account = {**OPEN, "at": "2047-01-01T00:00:00Z", "account": "acct-clock"}
    start = {
        **account,
        "id": "c-2",
        "command": "StartPostpaidInstance",
        "body": {"instance_id": "i-1", "product": "redis", "region": "gz"},
    }
    destroy = {
        **account,
        "id": "c-3",
        "command": "DestroyPostpaidInstance",
        "actor": {"id": "u-1", "role": "OWNER"},
        "body": {"instance_id": "i-1", "acknowledged": True},
    }
    text = "\n".join(json.dumps(line) for line in (account, start, destroy))
    assert sandbox.run("submit", "-", stdin=text).out.endswith("3 accepted\n")

    assert sandbox.run("clock", "advance", "1h59m59s").out == (
        "the sandbox stands at 2047-01-01T01:59:59Z\n"
    )
    ran = sandbox.run("clock", "advance", "1s")

    assert "acct-clock: InstanceDestroyed  i-1 destroyed (RETENTION_ELAPSED)" in ran.out
    assert sandbox.run("clock", "show").out == "2047-01-01T02:00:00Z\n"


def test_the_clock_never_goes_back(sandbox: Terminal) -> None:
    sandbox.run("clock", "set", "2047-06-01T00:00:00Z")
    ran = sandbox.run("clock", "set", "2020-01-01T00:00:00Z")
    assert (ran.code, ran.out) == (2, "")
    assert "never goes back to 2020-01-01T00:00:00Z; give a later instant" in ran.err


def test_questions_are_answered_for_people_and_for_machines(
    sandbox: Terminal, played: set[str]
) -> None:
    submitted(sandbox, played, "01-five-days.jsonl")

    (balance,) = sandbox.run("query", "balances", "-a", "acct-five-days", "--json").objects
    table = sandbox.run("query", "balances", "-a", "acct-five-days").out.splitlines()

    assert (balance["cash"], balance["gift"], balance["total"]) == ("390.12", "405.64", "795.76")
    assert table[1].split() == ["acct-five-days", "CNY", "390.12", "405.64", "795.76"]
    trial = sandbox.run("query", "trial", "--json").objects
    assert "CNY" in {row["currency"] for row in trial}
    assert all(row["debit"] == row["credit"] for row in trial)
    assert len(sandbox.run("query", "postings", "--limit", "3", "--json").objects) == 3


def test_an_unknown_account_is_not_an_empty_answer(sandbox: Terminal) -> None:
    ran = sandbox.run("query", "balances", "--account", "acct-none")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: account acct-none: the read models have none of that id")

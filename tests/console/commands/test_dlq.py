"""`refundctl dlq` on a running ledger: list, show, give back, close; once, and told clearly."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.log.kafka import KafkaTools
from ledger.log.seam import Outgoing, Topic
from ledger.values.ids import partition_of
from ledger.wire.avro.codec import decode_event
from tests.console.ledgers import PARTITIONS, RunningLedger
from tests.console.virtual_terminal import Ran, Terminal
from tests.consumers.ledgers import opening, record
from tests.waiting import wait_until

ESC = b"\x1b]0;taken over\x07"


@pytest.fixture
def ledger(live_ledger: RunningLedger, terminal: Terminal) -> RunningLedger:
    """The ledger, with the terminal pointed at it."""
    terminal.use(live_ledger.environment)
    return live_ledger


def set_aside(ledger: RunningLedger, terminal: Terminal, *records: Outgoing) -> list[str]:
    """Publish what is no command here; the names of its letters."""
    tools = KafkaTools(ledger.kafka)
    try:
        places = [f"{each.partition}:{each.offset}" for each in tools.publish(records)]
    finally:
        tools.close()
    wait_until(lambda: set(places) <= set(names(terminal)), f"letters {places}")
    return places


def names(terminal: Terminal, *words: str) -> list[str]:
    listed = terminal.run("dlq", "list", "--limit", "0", "--json", *words)
    return [each["letter"] for each in listed.objects]


def rubbish(value: bytes = b"rubbish") -> Outgoing:
    return Outgoing(topic=Topic.COMMANDS, partition=0, key=b"acct-x", value=value)


def strayed(account: str) -> Outgoing:
    """A good command on a partition that is not its account's."""
    sent = record(opening(account, f"open-{account}"), PARTITIONS)
    return replace(sent, partition=1 - sent.partition)


def opened(ledger: RunningLedger) -> list[str]:
    """The accounts that were opened, as often as they were."""
    tools = KafkaTools(ledger.kafka)
    try:
        events = [decode_event(found.value) for found in tools.replay(Topic.EVENTS)]
    finally:
        tools.close()
    return [each.meta.account_id for each in events if each.name == "AccountOpened"]


def assert_told(ran: Ran, code: int, *parts: str) -> None:
    assert (ran.code, ran.out) == (code, ""), ran.err
    for part in parts:
        assert part in ran.err


def test_a_letter_given_back_is_judged_and_a_second_run_passes_over_it(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    (name,) = set_aside(ledger, terminal, strayed("acct-home"))
    first = terminal.run("dlq", "redrive", name, "--reason", "its partition is known", "--json")
    second = terminal.run("dlq", "redrive", name, "--json")
    assert [each["now"] for each in (*first.objects, *second.objects)] == [True, False]
    home = partition_of(b"acct-home", PARTITIONS)
    assert first.objects[0]["copy"].startswith(f"{home}:")
    assert name not in names(terminal)
    assert name in names(terminal, "--closed")

    wait_until(lambda: opened(ledger) == ["acct-home"], "the account to be opened")
    assert terminal.run("audit", "verify").code == 0


def test_a_discarded_letter_keeps_who_and_why(ledger: RunningLedger, terminal: Terminal) -> None:
    (name,) = set_aside(ledger, terminal, rubbish())
    ran = terminal.run("dlq", "discard", name, "--reason", "a load test", "--actor", "ops-1")
    assert ran.out == f"{name}  discarded by ops-1: a load test\n"
    again = terminal.run("dlq", "discard", name, "--reason", "another", "--actor", "ops-2")
    assert again.out == f"{name}  discarded by ops-1: a load test already\n"
    (shown,) = terminal.run("dlq", "show", name, "--json").objects
    assert (shown["resolution"]["actor"], shown["resolution"]["reason"]) == ("ops-1", "a load test")
    assert_told(
        terminal.run("dlq", "redrive", name), 2, f"letter {name} was discarded by ops-1", "stays so"
    )


def test_a_letter_is_shown_with_its_reason_and_its_bytes(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    (name,) = set_aside(ledger, terminal, rubbish(b"what is this?"))
    ran = terminal.run("dlq", "show", name)
    assert "NOT_OURS: begins with" in ran.out
    assert "what is this?" in ran.out
    assert "today       cannot be read: NOT_OURS" in ran.out
    assert terminal.run("dlq", "show", name, "--raw").out == "what is this?"


def test_what_came_from_outside_does_not_command_the_terminal(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    hostile = replace(rubbish(), key=ESC + b"[red]", headers=(("[bold]" + ESC.decode(), ESC),))
    (name,) = set_aside(ledger, terminal, hostile)
    for words in (("list", "--limit", "0"), ("show", name)):
        ran = terminal.run("dlq", *words)
        assert (ran.code, "\x1b" in ran.out) == (0, False)
        assert "\\x1b]0;taken over\\x07[red]" in ran.out


def test_all_that_was_set_aside_for_one_reason_is_closed_together(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    junk = set_aside(ledger, terminal, rubbish(b"1"), rubbish(b"2"))
    (stray,) = set_aside(ledger, terminal, strayed("acct-other"))
    words = ("--all", "--only", "not_ours", "--reason", "junk")
    closed = terminal.run("dlq", "discard", *words, "--json").objects
    assert set(junk) <= {each["letter"] for each in closed}
    assert stray in names(terminal)
    assert (
        terminal.run("dlq", "discard", *words).out
        == "there are no open letters; nothing was discarded\n"
    )
    assert terminal.run("audit", "verify").code == 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("redrive",), "name letters, for example 0:17, or use --all"),
        (("redrive", "0:17", "--all"), "name letters, for example 0:17, or use --all"),
        (("redrive", "7:999999"), "there is no dead letter 7:999999"),
        (("show", "everything"), "there is no dead letter everything"),
        (("discard", "0:1", "--reason", " "), "--reason is empty"),
        (("discard", "--all", "--reason", "x", "--actor", ""), "no actor is given"),
        (("list", "--only", "BAD_LUCK"), "there is no reason 'BAD_LUCK'"),
        (("redrive", "--all", "--reason", "x" * 1_001), "at most 1000 are kept"),
    ],
)
def test_what_cannot_be_done_is_told(
    ledger: RunningLedger, terminal: Terminal, words: tuple[str, ...], part: str
) -> None:
    assert_told(terminal.run("dlq", *words), 2, part)


def test_without_a_ledger_the_next_step_is_up(terminal: Terminal) -> None:
    for words in (("list",), ("redrive", "--all")):
        assert_told(terminal.run("dlq", *words), 1, "no ledger runs in", "refundctl up")

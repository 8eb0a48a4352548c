"""`refundctl check-publisher`: each fault of form, planted on a real broker, told as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from console.rendering.reports.record_forms import NEXT_STEPS
from devstack import Services
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Outgoing, Topic
from ledger.origins.verifying import Doubt
from ledger.wire.avro.codec import MAX_COMMAND_BYTES, Unreadable
from tests import services as real
from tests.console.ledgers import PARTITIONS, RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal
from tests.consumers.ledgers import START, given, opening, record
from tests.waiting import wait_until

GOOD = record(opening("acct-form", "open"), PARTITIONS)
VALUE = GOOD.value or b""
OPENING = opening("acct-form").body
WORLDS = replace(opening("acct-form", "open"), body=replace(OPENING, currency="ZZZ"))
TIMED = given("open", OPENING, account="acct-form", sandbox_at=START)

PLANTED = {
    Unreadable.NOT_OURS: replace(GOOD, value=b'{"command": "OpenAccount"}'),
    Unreadable.UNKNOWN_SCHEMA: replace(GOOD, value=b"\xc3\x01" + bytes(8) + VALUE[10:]),
    Unreadable.TOO_LARGE: replace(GOOD, value=VALUE + bytes(MAX_COMMAND_BYTES)),
    Unreadable.UNREADABLE: replace(GOOD, value=VALUE[:-1]),
    Unreadable.NOT_CANONICAL: replace(GOOD, value=VALUE + b"\x00"),
    # The symbol of the account's type stands before a flag and the four bytes of the currency.
    Unreadable.INVALID_VALUE: replace(GOOD, value=VALUE[:-6] + b"\x00" + VALUE[-5:]),
    Unreadable.OUT_OF_RANGE: record(WORLDS, PARTITIONS),
    Unreadable.WRONG_KEY: replace(GOOD, key=b'"acct-form"'),
    Unreadable.WRONG_PARTITION: replace(GOOD, partition=1 - GOOD.partition),
    Unreadable.WRONG_CLOCK: record(TIMED, PARTITIONS),
}
NO_FORM = {Unreadable.NOT_BUILT, Unreadable.BREAKS_THE_CODE}
"""What stands in old letters alone, and what is no fault of the record."""


@pytest.fixture(scope="module")
def deciding(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLedger]:
    """A ledger of which the decider alone runs: nobody but the test publishes."""
    with (
        real.fresh_database(services.database_url) as url,
        running_ledger(
            services.bootstrap,
            url,
            tmp_path_factory.mktemp("deciding"),
            sandbox=False,
            processes=("decider",),
        ) as found,
    ):
        yield found


@pytest.fixture
def ledger(deciding: RunningLedger, terminal: Terminal) -> RunningLedger:
    """The ledger, with the terminal pointed at it."""
    terminal.use(deciding.environment)
    return deciding


def published(ledger: RunningLedger, *records: Outgoing) -> list[str]:
    tools = KafkaTools(ledger.kafka)
    try:
        return [f"{each.partition}:{each.offset}" for each in tools.publish(records)]
    finally:
        tools.close()


def letters(terminal: Terminal, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Reason and detail of the dead letters that the running decider makes of these records."""

    def found() -> dict[str, tuple[str, str]]:
        listed = terminal.run("dlq", "list", "--limit", "0", "--json").objects
        told = {each["letter"]: (each["reason"], each["detail"]) for each in listed}
        return {name: told[name] for name in names if name in told}

    wait_until(lambda: len(found()) == len(names), f"letters {names}")
    return found()


def test_every_fault_of_form_is_planted() -> None:
    assert set(PLANTED) == set(Unreadable) - NO_FORM - {Unreadable(each) for each in Doubt}
    assert set(NEXT_STEPS) == set(Unreadable)


def test_each_fault_is_told_as_the_decider_tells_it(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    names = published(ledger, *PLANTED.values())
    ran = terminal.run("check-publisher", "--last", len(names), "--json")
    told = {each["record"]: each for each in ran.objects}
    assert (ran.code, {each["dead_letter"] for each in told.values()}) == (1, {True})
    faults = {name: told[name]["faults"][0] for name in names}
    assert letters(terminal, names) == {
        name: (fault["reason"], fault["detail"]) for name, fault in faults.items()
    }
    assert [(each["reason"], each["next_step"]) for each in faults.values()] == [
        (reason, NEXT_STEPS[reason]) for reason in PLANTED
    ]


def test_good_records_end_well_and_their_form_is_told(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    names = published(ledger, GOOD, replace(GOOD, headers=()))
    ran = terminal.run("check-publisher", "--last", "2", "--json")
    assert ran.code == 0
    first, second = ran.objects
    assert [first["record"], second["record"]] == names
    assert (first["frame"], first["command"], first["schema_version"], first["command_id"]) == (
        "fingerprint",
        "OpenAccount",
        2,
        "open",
    )
    assert (first["notes"], len(second["notes"])) == ([], 5)


def test_the_table_names_each_fault_with_its_next_step(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    stray = PLANTED[Unreadable.WRONG_PARTITION]
    good, bad = published(ledger, GOOD, stray)
    ran = terminal.run("check-publisher", "--last", "2")
    lines = ran.out.splitlines()
    assert ran.code == 1
    assert next(line for line in lines if line.startswith(good)).endswith(" good")
    assert next(line for line in lines if line.startswith(bad)).endswith(" WRONG_PARTITION")
    fault = next(number for number, line in enumerate(lines) if line.startswith(f"{bad}  WRONG"))
    assert lines[fault + 1] == f"      next: {NEXT_STEPS[Unreadable.WRONG_PARTITION]}"
    assert lines[-1].endswith(": 1 becomes a dead letter")


def test_as_many_records_come_as_asked_for_though_offsets_have_gaps(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    """Each outcome is a transaction of its own here, and its end takes an offset."""
    for number in range(3):
        letters(terminal, published(ledger, replace(GOOD, value=str(number).encode())))
    topic = ledger.kafka.topic_name(Topic.DEAD_LETTERS)
    told = terminal.run("check-publisher", "--topic", topic, "--last", "3", "--json").objects
    offsets = [each["offset"] for each in told]
    assert [each["bytes"] for each in told] == [1, 1, 1]
    assert consecutive(offsets) is False


def consecutive(offsets: Sequence[int]) -> bool:
    return offsets == [*range(offsets[0], offsets[0] + len(offsets))]


def test_another_topic_is_read_by_its_name(ledger: RunningLedger, terminal: Terminal) -> None:
    topic = ledger.kafka.topic_name(Topic.EVENTS)
    ran = terminal.run("check-publisher", "--topic", topic, "--json")
    assert ran.code == 1
    assert {fault["reason"] for each in ran.objects for fault in each["faults"]} == {
        "UNKNOWN_SCHEMA"
    }


def test_a_topic_that_is_not_there_is_bad_input(ledger: RunningLedger, terminal: Terminal) -> None:
    ran = terminal.run("check-publisher", "--topic", "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no topic 'nowhere'" in ran.err


def test_what_came_from_outside_does_not_command_the_terminal(
    ledger: RunningLedger, terminal: Terminal
) -> None:
    published(ledger, replace(GOOD, key=b"\x1b]0;taken over\x07[red]"))
    ran = terminal.run("check-publisher", "--last", "1")
    assert "\x1b" not in ran.out
    assert "\\x1b]0;taken over\\x07[red]" in ran.out


def test_a_sandbox_is_known_by_its_first_event(
    sandbox_ledger: RunningLedger, terminal: Terminal
) -> None:
    terminal.use(sandbox_ledger.environment)
    assert terminal.run("check-publisher").out.startswith("no records in ")
    published(sandbox_ledger, GOOD)
    (told,) = terminal.run("check-publisher", "--json").objects
    assert [fault["reason"] for fault in told["faults"]] == ["WRONG_CLOCK"]

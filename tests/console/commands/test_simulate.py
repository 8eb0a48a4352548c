"""`simulate` prints every event of a file, and the examples say what they claim to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.console.golden_files import EXAMPLES, example_files, golden_of, instants_of
from tests.console.virtual_terminal import Terminal

NAMES = [example.name for example in example_files()]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_the_events_on_file(terminal: Terminal, name: str) -> None:
    ran = terminal.run("simulate", EXAMPLES / name)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == golden_of(EXAMPLES / name).read_text("utf-8")


def test_every_golden_file_has_its_example() -> None:
    assert {path.name for path in golden_of(EXAMPLES / "x").parent.iterdir()} == set(NAMES)


def test_the_examples_follow_each_other_in_time() -> None:
    instants = [instant for example in example_files() for instant in instants_of(example)]
    assert instants == sorted(instants)


def test_the_readme_of_the_examples_lists_every_file() -> None:
    listed = re.findall(
        r"^\| \[[^]]+\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text(), re.MULTILINE
    )
    files = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.jsonl")}
    assert set(listed) == files


def test_each_event_has_the_fields_that_readers_rely_on(terminal: Terminal) -> None:
    first, *others = terminal.run("simulate", EXAMPLES / "01-five-days.jsonl").objects

    assert list(first) == ["at", "event", "id", "account", "sequence", "causation_id", "body"]
    assert (first["event"], first["sequence"]) == ("AccountOpened", 1)
    assert [event["sequence"] for event in others] == list(range(2, len(others) + 2))
    assert "LedgerOpened" not in {event["event"] for event in others}


def test_the_ordinary_return_is_what_a_person_calculates(terminal: Terminal) -> None:
    """6 months × (120.00 + 32.00) × 0.88 = 802.56; then 19 d 13 h 30 min 45 s = 469.5125 h:
    96 × 0.42 + 264 × 0.36 + 109.5125 × 0.30 = 168.21375 and 469.5125 × 0.063 = 29.5792875;
    1613.92 − 1000.3530375 = 613.57, of which 1200.00/1613.92 is cash: 456.21.
    """
    events = terminal.run("simulate", EXAMPLES / "02-ordinary-return.jsonl").objects
    (issued,) = (event["body"] for event in events if event["event"] == "RefundIssued")

    assert issued["amount"] == "613.57"
    assert issued["parts"] == {"cash": "456.21", "gift": "157.36"}


def test_a_deadline_fires_at_its_own_instant_between_two_lines(terminal: Terminal) -> None:
    events = terminal.run("simulate", EXAMPLES / "07-expiry.jsonl").objects
    when = {event["at"] for event in events if event["event"] == "InstanceDestroyed"}

    assert when == {"2027-03-27T00:00:00Z", "2027-04-08T00:00:00Z"}


def test_standard_input_is_read_where_the_file_is_a_dash(terminal: Terminal) -> None:
    text = (EXAMPLES / "01-five-days.jsonl").read_text("utf-8")
    named = terminal.run("simulate", EXAMPLES / "01-five-days.jsonl")

    assert terminal.run("simulate", "-", stdin=text) == named


def test_people_get_a_sentence_an_event(terminal: Terminal) -> None:
    ran = terminal.run("simulate", EXAMPLES / "05-promotion-order.jsonl", "--pretty")

    assert ran.code == 0
    assert len(ran.out.splitlines()) == 9
    assert "ReturnInstance c-4 refused: SELF_SERVICE_NOT_SUPPORTED" in ran.out
    assert (
        "332.96 CNY for i-1 by FIVE_DAYS_NO_REASON: cash 225.00, gift 107.96, fee 75.00" in ran.out
    )


def test_reading_a_file_twice_gives_the_same_bytes(terminal: Terminal, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes((EXAMPLES / "04-averted-destruction.jsonl").read_bytes())

    again = terminal.run("simulate", copy)
    assert again == terminal.run("simulate", EXAMPLES / "04-averted-destruction.jsonl")

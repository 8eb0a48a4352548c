"""Every claim holds for every example, on simulated time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.submitting.command_files import read_bytes, read_lines
from console.submitting.scenario_runner import AnswerBook, run_scenario
from consumers.deciding.decider import GROUP
from consumers.sandbox.simulation import Simulation
from ledger.audit import audit
from ledger.log.seam import Topic
from ledger.terms.table import released_terms
from ledger.vocabulary.envelope import GivenCommand
from ledger.wire.avro.codec import decode_command, encode_command
from tests.ledger.audit.recorded import RecordedLog

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.jsonl"))


def played(file: Path) -> RecordedLog:
    """The log that a file of commands leads to."""
    world = Simulation(released_terms(), "0")
    for _ in run_scenario(
        world, world.take_events, read_lines(file, read_bytes(file), require_at=True), AnswerBook()
    ):
        pass
    return RecordedLog(world._cluster, GROUP)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_breaks_no_claim(file: Path) -> None:
    report = audit(played(file), "anybody")
    assert report.divergences == ()
    assert report.commands > 0
    assert report.events > 1


def test_in_a_sandbox_the_stamp_of_the_command_is_the_deciding_instant() -> None:
    """A command stamped later than it was decided is found."""
    log = played(EXAMPLES[0])
    record = log.commands(0)[-1]
    given = decode_command(record.key, record.value)
    assert given.meta.sandbox_at is not None
    later = replace(given.meta, sandbox_at=given.meta.sandbox_at + 1)
    value = encode_command(GivenCommand(meta=later, body=given.body))
    log.records[Topic.COMMANDS][0][-1] = replace(record, value=value)
    assert [each.check for each in audit(log, "anybody").divergences] == ["instants"]

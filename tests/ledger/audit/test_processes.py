"""Several processes find what one finds, and none outlives the audit."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count

import psutil
import pytest

from ledger.audit import (
    CHECKS,
    AuditInterrupted,
    AuditReport,
    audit,
    audit_side_by_side,
    audited_partitions,
    report_of,
)
from ledger.audit.processes import OpenTools
from ledger.log.seam import LogRecord, LogTools, LogUnavailable, Topic
from tests.ledger.audit.faults_of_money import amount_changed
from tests.ledger.audit.ledgers import everything
from tests.ledger.audit.recorded import RecordedLog

_PATIENCE_SECONDS = 60.0


def given(log: RecordedLog) -> LogTools:
    return log


def by_processes(log: RecordedLog, open_tools: OpenTools, told: list[int]) -> AuditReport:
    partitions = audited_partitions(log, "anybody")
    parts = audit_side_by_side(open_tools, partitions, CHECKS, told.append, jobs=2)
    return report_of(CHECKS, parts)


@pytest.mark.parametrize("falsified", [False, True])
def test_two_processes_report_what_one_reports(falsified: bool) -> None:
    log = everything()
    if falsified:
        amount_changed(log)
    alone: list[int] = []
    told: list[int] = []
    report = audit(log, "anybody", tell=alone.append)
    assert bool(report.divergences) is falsified
    assert by_processes(log, partial(given, log), told) == report
    assert sum(told) == sum(alone)
    assert multiprocessing.active_children() == []


def end() -> LogTools:
    os._exit(3)


def test_a_process_that_ends_ends_the_audit() -> None:
    with pytest.raises(AuditInterrupted, match="ended with code 3"):
        by_processes(everything(), end, [])
    assert multiprocessing.active_children() == []


class LostLog(RecordedLog):
    """A log whose broker is lost."""

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        raise LogUnavailable("no broker")


def test_that_the_log_is_lost_is_told_as_by_one_process() -> None:
    log = everything()
    with pytest.raises(LogUnavailable, match="no broker"):
        by_processes(log, partial(LostLog, log, ""), [])


class EndlessLog(RecordedLog):
    """A log with commands without end, which cannot be read."""

    def replay(self, topic: Topic, start: Sequence[int] | None = None) -> Iterator[LogRecord]:
        if topic is Topic.COMMANDS:
            for offset in count():
                yield LogRecord(partition=0, offset=offset, appended_at=0, key=b"", value=b"")


def endless() -> None:
    """An audit that never ends; says when it has begun."""
    log = everything()
    by_processes(log, partial(EndlessLog, log, ""), Telling())


class Telling(list[int]):
    """At the first progress, tells the ids of the processes."""

    def append(self, steps: int) -> None:
        if not self:
            print(*(each.pid for each in multiprocessing.active_children()), file=sys.stderr)
        super().append(steps)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_goes_on_when_the_audit_is_stopped(how: signal.Signals) -> None:
    code = "from tests.ledger.audit.test_processes import endless; endless()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        started = [psutil.Process(int(each)) for each in process.stderr.readline().split()]
        assert len(started) == 2
        if how is signal.SIGINT:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        process.stderr.close()
        _, left = psutil.wait_procs(started, timeout=_PATIENCE_SECONDS)
        assert left == []

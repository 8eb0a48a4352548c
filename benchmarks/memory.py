"""Peak memory of projector, reconciliation and audit with many accounts and events.

Run it as `python -m benchmarks.memory --events N --accounts M`. Deciders without a broker make the
log into a folder outside the repository (`--folder`), once. Then each process runs alone on it: the
projector into a database of its own, the reconciliation of that database, and the audit of one
partition, which is what a process of `refundctl audit verify` has at a time. A reconciliation or an
audit that finds anything is an error.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from threading import Event as Flag

import structlog

from benchmarks import kit
from benchmarks.deciding import PARTITIONS
from benchmarks.log_files import LogFiles, make_log
from benchmarks.mix import EVENTS_A_COMMAND
from benchmarks.projector import database
from consumers.deciding.decider import GROUP
from ledger.audit import CHECKS, audit_partition, audited_partitions
from ledger.audit.processes import collect_rarely
from ledger.log.seam import Batch, LogRecord, Topic, only
from projector.following.projection import Projection
from projector.migrations import migrate
from projector.reconciling.reconcile import reconcile
from projector.runner import run


class Events:
    """The events of a log in files, read from the first to the last; then `stop` is set."""

    topic_id = "bench"

    def __init__(self, folder: Path, stop: Flag) -> None:
        self._log, self._stop = LogFiles(folder), stop
        self._open: dict[int, tuple[int, Iterator[LogRecord]]] = {}

    def ends(self) -> tuple[int, ...]:
        """Where each partition ends."""
        return self._log.end_offsets(Topic.EVENTS)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        """The next records of the first partition that has any."""
        del timeout_seconds
        for partition, position in positions.items():
            end = self.ends()[partition]
            if position < end:
                found = tuple(islice(self._at(partition, position), max_records))
                after = found[-1].offset + 1 if found else end
                self._open[partition] = (after, self._open[partition][1])
                return {partition: Batch(records=found, next_position=after)}
        self._stop.set()
        return {}

    def close(self) -> None:
        """Nothing to let go of."""

    def _at(self, partition: int, position: int) -> Iterator[LogRecord]:
        kept = self._open.get(partition)
        if kept is not None and kept[0] == position:
            return kept[1]
        records = self._log.replay(Topic.EVENTS, only(self._log, partition, position))
        self._open[partition] = (position, records)
        return records


def _project(folder: Path, conninfo: str) -> int:
    stop = Flag()
    source = Events(folder, stop)
    run(Projection(conninfo=conninfo), lambda: source, stop)
    return sum(1 for _ in LogFiles(folder).replay(Topic.EVENTS))


def _reconcile(folder: Path, conninfo: str) -> int:
    events = 0

    def count(progress: object) -> None:
        nonlocal events
        events = max(events, getattr(progress, "events", 0))

    found = reconcile(conninfo, Events(folder, Flag()), tell=count)
    if found.divergences:
        raise SystemExit(f"the reconciliation found {found.divergences}")
    return events


def _audit(folder: Path, conninfo: str) -> int:
    del conninfo
    collect_rarely()
    tools = LogFiles(folder)
    audited = audited_partitions(tools, GROUP)[0]
    report = audit_partition(tools, audited, CHECKS, lambda _: None)
    if report.divergences:
        raise SystemExit(f"the audit found {report.divergences}")
    return report.events


_WAYS: dict[str, Callable[[Path, str], int]] = {
    "projector": _project,
    "reconciliation": _reconcile,
    "audit of one partition": _audit,
}


def main(folder: Path, events: int, accounts: int) -> None:
    """Make the log, run each process, print and keep the figures."""
    if not (folder / "ends").exists():
        make_log(folder, count=int((events - accounts) / EVENTS_A_COMMAND), accounts=accounts)
    figures: dict[str, object] = {}
    with database() as conninfo:
        migrate(conninfo)
        for name in _WAYS:
            program = [sys.executable, "-m", "benchmarks.memory", "--measure", name]
            done = subprocess.run(
                [*program, str(folder), conninfo], check=True, stdout=subprocess.PIPE
            )
            found = json.loads(done.stdout.splitlines()[-1])
            figures[name] = found
            print(
                f"{name:<24} {found['events']:10,} events, "
                f"{found['rate']:7,} a processor second, {found['peak_megabytes']:4} MB"
            )
    settings = {"events": events, "accounts": accounts, "partitions": PARTITIONS}
    kit.keep("memory", settings=settings, figures=figures)


def _measured(name: str, folder: Path, conninfo: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    before = time.process_time()
    events = _WAYS[name](folder, conninfo)
    seconds = time.process_time() - before
    peak = round(kit.peak_megabytes())
    print(json.dumps({"events": events, "rate": round(events / seconds), "peak_megabytes": peak}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measured(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
        raise SystemExit
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=200_000)
    cache = Path(tempfile.gettempdir()) / "refunds-memory-benchmark"
    parser.add_argument("--folder", type=Path, default=cache)
    given = parser.parse_args()
    main(given.folder, given.events, given.accounts)

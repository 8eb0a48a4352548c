"""What deciding costs: the decider on a log in memory, by stage and by kind of command.

Run it as `python -m benchmarks.decider [--commands N] [--against FOLDER]`. Only the processor time
of its own processes is measured, so that other work on the machine does not count. `--against`
names a checkout of another commit, with its environment: the deciders of both take turns on the
same commands. The stages are timed in a loop that does what the decider does, less what the timing
itself costs; those that begin with a dash are parts of others, each timed alone. Garbage is only
collected in the whole.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks import kit
from benchmarks.deciding import PARTITIONS, Ledger, ledger
from consumers.deciding import recording
from consumers.deciding.store import Store
from ledger.decide import Duplicate, decide
from ledger.log.seam import LogRecord, Topic
from ledger.state import evolve
from ledger.state.entities import Stream
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.validation import problems_of
from ledger.wire.avro.codec import decode_command, encode_event
from ledger.wire.cloud_events import headers_for_event

ROUNDS = 3
SAMPLE = 500
SHARED = "(each)"
"""What is done once a batch, shared among its commands."""


class Decided(Struct, frozen=True, kw_only=True):
    """A command's record, the command, and what was written for it."""

    found: LogRecord
    given: GivenCommand
    written: tuple[recording.Written, ...]


def main() -> None:
    """Print the table of stages and the whole, and keep both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--against", type=Path)
    asked = parser.parse_args()
    figures: dict[str, object] = {"stages": print_stages(stages(asked.commands))}
    roots = {"now": kit.ROOT} | ({"before": asked.against.resolve()} if asked.against else {})
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in roots}
    for _ in range(ROUNDS):
        for name, root in roots.items():
            runs[name].append(_whole_in(root, asked.commands, asked.accounts))
    for name, found in runs.items():
        best, worst, peak = min(found)[0], max(found)[0], max(run[1] for run in found)
        print(f"{name:<8} {best:6.1f} to {worst:.1f} µs a command, {peak:.0f} MB peak")
        figures[name] = {"microseconds": best, "at_worst": worst, "peak_megabytes": peak}
    if asked.against:
        figures["ratio"] = ratio = round(min(runs["before"])[0] / min(runs["now"])[0], 2)
        print(f"{ratio:.2f} times as fast as {asked.against}")
    settings = {"commands": asked.commands, "accounts": asked.accounts, "rounds": ROUNDS}
    kit.keep("decider", settings=settings, figures=figures)


def stages(count: int) -> dict[str, dict[str, float]]:
    """Microseconds a command, by stage and by kind of command."""
    spent: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    kinds: dict[str, list[Decided]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    with ledger(count) as made:
        gc.disable()
        for partition, store in enumerate(made.stores):
            _decide_all(made, partition, store, spent, kinds, counts)
        gc.enable()
    overhead = _timing_costs()
    total = sum(counts.values())
    found = {
        stage: {
            kind: (ns / counts[kind] - overhead if kind in kinds else ns / total) / 1e3
            for kind, ns in by_kind.items()
        }
        for stage, by_kind in spent.items()
    }
    return found | _parts(kinds)


def _decide_all(
    made: Ledger,
    partition: int,
    store: Store,
    spent: dict[str, dict[str, int]],
    kinds: dict[str, list[Decided]],
    counts: dict[str, int],
) -> None:
    """What a decider does with a partition, with a look at the clock between the stages."""
    clock = time.process_time_ns
    taker = recording.Taker(partition_count=PARTITIONS, sandbox=False)
    position, end = 0, store.place.end
    while True:
        started = clock()
        batch = made.log.read(Topic.COMMANDS, partition, position, made.world.max_batch, 0.0)
        spent["fetch"][SHARED] += clock() - started
        if not batch.records:
            return
        outgoing = []
        for found in batch.records:
            store.begin()
            begun = clock()
            taken = recording.readable(found, taker)
            given = taken.given
            read = clock()
            digest = command_digest(given)
            digested = clock()
            now = max(end.recorded_at, found.appended_at)
            terms = made.world.terms.at(now)
            facts = decide(given, digest, state=store, now=now, terms=terms)
            assert not isinstance(facts, Duplicate)
            decided = clock()
            stream = store.find(Stream, given.meta.account_id, "")
            answer = recording.Answer(
                given=given,
                digest=digest,
                source=found,
                decided_at=now,
                terms=terms.version,
                first_sequence=1 if stream is None else stream.sequence + 1,
                proven=taken.proven,
                origins="",
            )
            written, end = recording.record(answer, facts, end)
            recorded = clock()
            for each in written:
                store.apply(evolve(store, each.recorded))
            folded = clock()
            kind = f"{given.name} > {written[-1].recorded.name}"
            counts[kind] += 1
            if counts[kind] <= SAMPLE:
                kinds[kind].append(Decided(found=found, given=given, written=written))
            outgoing += [each.outgoing for each in written]
            spent["read and check"][kind] += read - begun
            spent["digest"][kind] += digested - read
            spent["decide"][kind] += decided - digested
            spent["record"][kind] += recorded - decided
            spent["fold"][kind] += folded - recorded
        started = clock()
        made.log.begin_commit(partition, outgoing, batch.next_position, end.text)
        made.log.finish_commit(partition)
        committed = clock()
        store.save(position, end)
        spent["commit"][SHARED] += committed - started
        spent["save"][SHARED] += clock() - committed
        position = batch.next_position


def _parts(kinds: dict[str, list[Decided]]) -> dict[str, dict[str, float]]:
    ways: dict[str, Callable[[Decided], object]] = {
        "- decode": lambda one: decode_command(one.found.key, one.found.value),
        "- problems": lambda one: problems_of(one.given),
        "- encode": lambda one: [encode_event(each.recorded) for each in one.written],
        "- headers": lambda one: [headers_for_event(each.recorded) for each in one.written],
    }
    return {
        name: {kind: _microseconds(way, decided) for kind, decided in kinds.items()}
        for name, way in ways.items()
    }


def _microseconds(way: Callable[[Decided], object], decided: list[Decided]) -> float:
    best = min(_seconds(way, decided) for _ in range(ROUNDS))
    return best / len(decided) * 1e6


def _seconds(way: Callable[[Any], object], values: Iterable[Any]) -> float:
    start = time.process_time()
    for value in values:
        way(value)
    return time.process_time() - start


def _timing_costs() -> float:
    """Nanoseconds that one look at the clock takes."""
    return _seconds(lambda _: time.process_time_ns(), range(20_000)) / 20_000 * 1e9


def print_stages(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Print the table, a column for each kind; returns it rounded."""
    columns = sorted({kind for by_kind in found.values() for kind in by_kind})
    for number, kind in enumerate(columns):
        print(f"  {number}: {kind}")
    print(f"{'µs a command':<16}" + "".join(f"{number:>8}" for number in range(len(columns))))
    for stage, by_kind in found.items():
        cells = (f"{by_kind[kind]:8.1f}" if kind in by_kind else " " * 8 for kind in columns)
        print(f"{stage:<16}" + "".join(cells))
    return {
        stage: {kind: round(us, 1) for kind, us in by_kind.items()}
        for stage, by_kind in found.items()
    }


def _whole_in(root: Path, count: int, accounts: int | None) -> tuple[float, float]:
    """The whole, in a process of its own that imports the source of a checkout."""
    words = [str(root / ".venv/bin/python"), "-m", "benchmarks.deciding"]
    words += [str(each) for each in (count, accounts) if each]
    environment = {**os.environ, "PYTHONPATH": f"{kit.ROOT}:{root / 'src'}"}
    done = subprocess.run(
        words, check=True, capture_output=True, text=True, env=environment, cwd=root / "src"
    )
    microseconds, megabytes = done.stdout.splitlines()[-1].split()  # the log is there as well
    return round(float(microseconds), 1), round(float(megabytes))


if __name__ == "__main__":
    main()

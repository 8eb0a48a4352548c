"""How fast published commands reach the read models: the whole stack, with default settings.

Run it as `python -m benchmarks.whole [--commands N ...]` (or `make bench`). With several numbers it
runs one after the other, so that `--commands 20000 500000 20000` compares rates on a machine whose
other work comes and goes. `--against FOLDER` names a checkout of another commit with its
environment: both take turns. Each run has a stack of its own. The commands (70 % orders, 20 %
quotes and refusals, 10 % returns) are published at once, those of all accounts by turns, and
follow-ups are not counted. The read models are through once they show every event that stood in
the log when all was decided.

A run ends with an error if a process was started anew meanwhile. How far partitions are apart is
the largest difference seen between the shares of their backlogs that were decided.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from msgspec import Struct, structs

from benchmarks import kit
from benchmarks.mix import commands
from benchmarks.stacks import Stack, stack
from consumers.deciding.decider import GROUP as DECIDER
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from projector.asking.queries import positions

PATIENCE_SECONDS = 3_600
_RATE = re.compile(r"^(decided|shown) .* s +(\d+) a second", re.MULTILINE)


class Run(Struct, frozen=True, kw_only=True):
    """One run: rates a second, how far partitions were apart, and each process's share."""

    commands: int
    published: float
    decided: float
    shown: float
    apart: float
    microseconds: dict[str, float]
    peak_megabytes: dict[str, float]


def main() -> None:
    """Measure each number of commands, and the other commit by turns; keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, nargs="+", default=[20_000])
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--against", type=Path)
    asked = parser.parse_args()
    runs: list[Run] = []
    before: list[dict[str, float]] = []
    for count in asked.commands:
        with stack(asked.partitions) as made:
            runs.append(measure(made, count))
        if asked.against:
            before.append(_measure_other(asked.against, count))
    figures: dict[str, object] = {"runs": [structs.asdict(run) for run in runs], "before": before}
    if before:
        ratios = [
            round(now.decided / old["decided"], 2) for now, old in zip(runs, before, strict=True)
        ]
        print(f"decided: {ratios} times as many a second as {asked.against}")
        figures["ratios"] = ratios
    name = "against" if asked.against else "whole"
    kit.keep(name, settings={"partitions": asked.partitions}, figures=figures)


def measure(made: Stack, count: int) -> Run:
    """Publish, wait for the decider and for the read models, print."""
    tools, partitions = made.tools(), made.kafka.partition_count
    records = list(commands(count, time.time_ns() // 1000, partitions))
    used = made.processor_seconds()
    start = time.monotonic()
    tools.publish(records)
    published = time.monotonic() - start
    decided, shown, apart = followed(made, tools, start)
    tools.close()
    spent = made.processor_seconds()
    made.check_restarts()
    run = Run(
        commands=len(records),
        published=round(len(records) / published),
        decided=round(len(records) / decided),
        shown=round(len(records) / shown),
        apart=round(apart, 3),
        microseconds={
            name: round((spent[name] - before) / len(records) * 1e6)
            for name, before in used.items()
        },
        peak_megabytes={name: round(each) for name, each in made.peak_megabytes().items()},
    )
    print(f"{len(records)} commands, {partitions} partitions, {len(records) - count} accounts")
    print(f"published {run.published} a second, decided {run.decided}, shown {run.shown}")
    print(f"partitions at most {run.apart:.0%} apart")
    for name, each in sorted(run.microseconds.items()):
        print(f"  {name:<12} {each:4.0f} µs a command, {run.peak_megabytes[name]:4.0f} MB peak")
    return run


def followed(made: Stack, tools: KafkaTools, start: float) -> tuple[float, float, float]:
    """Wait for the decider and for the read models; seconds since `start` until everything that
    was published was decided, and shown, and how far partitions were apart.
    """
    decided, apart = _follow(
        lambda: tools.committed_offsets(DECIDER, Topic.COMMANDS),
        tools.end_offsets(Topic.COMMANDS),
        start,
    )
    with psycopg.connect(made.database_url, autocommit=True) as connection:
        partitions = range(tools.partition_count)
        shown, _ = _follow(
            lambda: [positions(connection).get(each) for each in partitions],
            tools.end_offsets(Topic.EVENTS),
            start,
        )
    return decided, shown, apart


def _measure_other(root: Path, count: int) -> dict[str, float]:
    """The same by the other commit's own program, which prints the rates."""
    program = "whole" if (root / "benchmarks/whole.py").exists() else "throughput"
    command = [root / ".venv/bin/python", "-m", f"benchmarks.{program}", "--commands", str(count)]
    environment = {**os.environ, "PYTHONPATH": f"{root}/src:{root}"}
    done = subprocess.run(
        command, cwd=root, check=True, env=environment, capture_output=True, text=True
    )
    found = {name: float(rate) for name, rate in _RATE.findall(done.stdout)}
    print(f"the other: decided {found['decided']:.0f} a second, shown {found['shown']:.0f}")
    return found


def _follow(
    reached: Callable[[], Sequence[int | None]], ends: Sequence[int], start: float
) -> tuple[float, float]:
    """Seconds since `start` until all ends are reached, and how far partitions were apart."""
    apart = 0.0
    while True:
        shares = [(at or 0) / end for at, end in zip(reached(), ends, strict=True)]
        apart = max(apart, max(shares) - min(shares))
        if min(shares) >= 1.0:
            return time.monotonic() - start, apart
        if time.monotonic() - start > PATIENCE_SECONDS:
            raise SystemExit("gave up: the stack did not get through; see its logs")
        time.sleep(0.05)


if __name__ == "__main__":
    main()

"""How fast published commands reach the read models: the whole stack, with default settings.

Run it as `python -m benchmarks.throughput [--commands N ...]` (or `make bench`); with several
numbers it runs one after the other, so that `--commands 20000 200000 20000 200000` compares rates
on a machine whose other work comes and goes. Each run starts a stack of its own in a temporary home
and stops it again. The commands (70 % orders, 20 % quotes and refusals, 10 % returns) are published
at once, those of all accounts by turns, and follow-ups are not counted. The read models
are through once they show every event that stood in the log when all was decided.

A run ends with an error if a process was started anew meanwhile. How far partitions are apart is
the largest difference seen between the shares of their backlogs that were decided, in hundredths;
the ratio to plain publishing in the same run says more than the rate on any one machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg

from benchmarks.mix import commands
from consumers.deciding.decider import GROUP as DECIDER
from devstack import destroy, status
from ledger.log.kafka import KafkaSettings, KafkaTools
from ledger.log.seam import Topic
from projector.asking.queries import positions

PARTITIONS = 4
PATIENCE_SECONDS = 1_200


def measure(count: int) -> None:
    """Start, publish, wait for the decider and for the read models, print, stop."""
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        home = Path(folder) / "home"
        try:
            _refundctl(home, "up")
            _measure(home, count)
        finally:
            _refundctl(home, "down")
            destroy(home)


def _measure(home: Path, count: int) -> None:
    seen = status(home)
    assert seen.bootstrap is not None
    assert seen.database_url is not None
    tools = KafkaTools(KafkaSettings(bootstrap=seen.bootstrap, partition_count=PARTITIONS))
    records = list(commands(count, time.time_ns() // 1000, PARTITIONS))
    used = _processor_seconds(home)
    start = time.monotonic()
    tools.publish(records)
    published = time.monotonic() - start
    with psycopg.connect(seen.database_url, autocommit=True) as connection:
        decided = _follow(
            lambda: tools.committed_offsets(DECIDER, Topic.COMMANDS),
            tools.end_offsets(Topic.COMMANDS),
            start,
        )
        shown = _follow(
            lambda: [positions(connection).get(partition) for partition in range(PARTITIONS)],
            tools.end_offsets(Topic.EVENTS),
            start,
        )
    spent = {name: _processor_seconds(home)[name] - before for name, before in used.items()}
    tools.close()
    print(f"{len(records)} commands, {PARTITIONS} partitions, {len(records) - count} accounts")
    ways = {"published": (published, 0.0), "decided": decided, "shown": shown}
    for name, (seconds, apart) in ways.items():
        rate, ratio = len(records) / seconds, published / seconds
        print(
            f"{name:<10} {seconds:7.2f} s  {rate:9.0f} a second  {ratio:5.2f} of publishing"
            + (f"  partitions {apart:3.0%} apart" if name != "published" else "")
        )
    peak = _peak_megabytes(home)
    for name, seconds in sorted(spent.items()):
        each = seconds / len(records) * 1e6
        print(
            f"{name:<10} {seconds:7.2f} s processor, {each:.0f} µs each, {peak[name]:.0f} MB peak"
        )
    restarted = {each.name: each.restarts for each in status(home).processes if each.restarts}
    if restarted:
        raise SystemExit(f"started anew: {restarted}; see their logs")


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


def _peak_megabytes(home: Path) -> dict[str, float]:
    """Each process without its children, so of PostgreSQL only the first."""
    peak = {}
    for process in status(home).processes:
        if process.identity is not None:
            lines = Path(f"/proc/{process.identity.pid}/status").read_text().splitlines()
            (line,) = [each for each in lines if each.startswith("VmHWM:")]
            peak[process.name] = int(line.split()[1]) / 1024
    return peak


def _processor_seconds(home: Path) -> dict[str, float]:
    ticks = os.sysconf("SC_CLK_TCK")
    seconds = {}
    for process in status(home).processes:
        if process.identity is not None:
            stat = Path(f"/proc/{process.identity.pid}/stat").read_text().rsplit(")", 1)[1].split()
            seconds[process.name] = (int(stat[11]) + int(stat[12])) / ticks
    return seconds


def _refundctl(home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "console.main", *words]
    environment = {**os.environ, "REFUNDS_HOME": str(home), "REFUNDS_PARTITIONS": str(PARTITIONS)}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, nargs="+", default=[20_000])
    for each in parser.parse_args().commands:
        measure(each)

"""What many partitions cost one decider: the whole stack with 4, 16 and 48 of them.

Run it as `python -m benchmarks.partitions [--partitions N ...] [--commands N] [--seconds S]`. Each
number has a stack of its own, one after the other; name one twice to see how much the machine
changes meanwhile. First single commands are published, ten a second, as in `latency`. Then many
are published at once, as in `whole`. Processor time says what the work costs; rates and latencies
only compare the stacks of one run.
"""

from __future__ import annotations

import argparse
import time

from msgspec import Struct, to_builtins

from benchmarks import kit, latency, whole
from benchmarks.stacks import stack

SINGLES_A_SECOND = 10.0


class Found(Struct, frozen=True, kw_only=True):
    """One stack: seconds to start, commands at once, and milliseconds of single commands."""

    partitions: int
    up_seconds: float
    at_once: whole.Run
    singles: latency.Latency


def main() -> None:
    """Measure each number of partitions; print and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, nargs="+", default=[4, 16, 48, 4, 16, 48])
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    found = [_measure(each, asked.commands, asked.seconds) for each in asked.partitions]
    settings = {"commands": asked.commands, "singles_a_second": SINGLES_A_SECOND}
    kit.keep(
        "partitions",
        settings=settings,
        figures={"stacks": to_builtins(found)},
    )


def _measure(partitions: int, commands: int, seconds: float) -> Found:
    start = time.monotonic()
    with stack(partitions) as made:
        up = time.monotonic() - start
        singles = latency.measure(made, SINGLES_A_SECOND, seconds)
        at_once = whole.measure(made, commands)
    told = ", ".join(f"p{name} {ms:.0f} ms" for name, ms in singles.percentiles.items())
    print(f"up after {up:.1f} s; single commands: {told}", flush=True)
    return Found(partitions=partitions, up_seconds=round(up, 1), at_once=at_once, singles=singles)


if __name__ == "__main__":
    main()

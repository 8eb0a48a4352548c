"""What more deciders cost and give: the whole stack with 1, 2 and 4 of them.

Run it as `python -m benchmarks.scale [--deciders N ...] [--commands N]`. Each number has a stack of
its own. On a machine with few processors the rate cannot grow; the processor time of all deciders
together says what more processors would give: while it stays the same for each command, twice the
deciders decide twice as many on twice the processors.
"""

from __future__ import annotations

import argparse

from benchmarks import kit, whole
from benchmarks.stacks import stack

PARTITIONS = 12


def main() -> None:
    """Measure each number of deciders; print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deciders", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--commands", type=int, default=20_000)
    asked = parser.parse_args()
    found = []
    for deciders in asked.deciders:
        with stack(PARTITIONS, words=("--deciders", str(deciders))) as made:
            run = whole.measure(made, asked.commands)
        spent = sum(each for name, each in run.microseconds.items() if name.startswith("decider"))
        print(f"{deciders} deciders: {run.decided:.0f} a second, together {spent} µs a command")
        found.append({"deciders": deciders, "decided": run.decided, "microseconds": spent})
    settings = {"partitions": PARTITIONS, "commands": asked.commands}
    kit.keep("scale", settings=settings, figures={"runs": found})


if __name__ == "__main__":
    main()

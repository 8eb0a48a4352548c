"""`make hostile RECORDS=100000 SEED=1`: so many mutations among good records, and the figures.

With STACK=1 they go through a real broker to the decider of a stack, whose memory is watched;
without it through real deciders on a log in the memory of this process.
"""

from __future__ import annotations

import os
import sys
import time

import structlog

from tests.hostile.real_stack import MOST_MEGABYTES, run_on_a_stack
from tests.hostile.run import run
from tools.program import arguments


def main() -> int:
    """Run and tell; the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    bad, seed = int(os.environ.get("RECORDS") or 100_000), int(os.environ.get("SEED") or 1)
    on_a_stack = bool(os.environ.get("STACK"))
    began = time.monotonic()
    try:
        told = run_on_a_stack(bad, seed) if on_a_stack else run(bad, seed)
    except AssertionError as error:
        print(f"RECORDS={bad} SEED={seed}: {error}")
        return 1
    bound = f", the decider within {MOST_MEGABYTES:.0f} MB" if on_a_stack else ""
    print(f"{bad:,} mutations, seed {seed}: every record became what it must{bound}")
    print(f"{told}; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

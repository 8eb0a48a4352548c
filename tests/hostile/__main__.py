"""`make hostile RECORDS=100000 SEED=1`: so many mutations among good records, and the figures."""

from __future__ import annotations

import os
import sys
import time

import structlog

from tests.hostile.run import run
from tools.program import arguments


def main() -> int:
    """Run and tell; the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    bad, seed = int(os.environ.get("RECORDS") or 100_000), int(os.environ.get("SEED") or 1)
    began = time.monotonic()
    try:
        tally = run(bad, seed)
    except AssertionError as error:
        print(f"RECORDS={bad} SEED={seed}: {error}")
        return 1
    print(f"{bad:,} mutations, seed {seed}: every record became what it must")
    print(f"{tally}; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

"""How many bytes an event takes: at the broker, in the database, in the decider's files.

Run it as `python -m benchmarks.disk [--commands N]`. The commands are given to a stack of its own,
and everything is counted once the read models and the snapshots have come to the end. What is there
before the first command is taken off.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import psycopg

from benchmarks import kit, whole
from benchmarks.stacks import Stack, stack
from ledger.log.seam import Topic

SNAPSHOT_SECONDS = 6.0
"""Deciders write their snapshots every two seconds."""


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=20_000)
    asked = parser.parse_args()
    with stack(4) as made:
        before = _bytes(made)
        whole.measure(made, asked.commands)
        time.sleep(SNAPSHOT_SECONDS)
        after = _bytes(made)
        tools = made.tools()
        events = sum(1 for _ in tools.replay(Topic.EVENTS))
        tools.close()
    each = {name: round((after[name] - before[name]) / events) for name in after}
    for name, size in each.items():
        print(f"{name:<20} {size:6} bytes an event")
    kit.keep("disk", settings={"commands": asked.commands, "events": events}, figures=each)


def _bytes(made: Stack) -> dict[str, int]:
    found = {
        "commands": _folder(made.home, "refunds.commands.v1-*"),
        "events": _folder(made.home, "refunds.events.v1-*"),
        "decider's files": _folder(made.home, "state"),
    }
    with psycopg.connect(made.database_url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT schemaname, sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
            " GROUP BY schemaname ORDER BY schemaname"
        ).fetchall()
    return found | {f"database, {schema}": int(size) for schema, size in rows}


def _folder(home: Path, pattern: str) -> int:
    """The bytes of all log segments or files below what fits the pattern."""
    return sum(
        file.stat().st_size
        for folder in home.rglob(pattern)
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in {".index", ".timeindex"}
    )


if __name__ == "__main__":
    main()

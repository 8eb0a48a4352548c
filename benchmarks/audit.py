"""The audit of a log: its rate for one process in processor time, and its memory as the log grows.

Run it as `python -m benchmarks.audit`. Deciders without a broker make a log of about EVENTS events
into a folder outside the repository (`--folder`), once; it is read from there, so that what is
measured is the audit alone. With `--base` (the folder of another checkout, with its own .venv) the
same commands are decided and audited by that code too, by turns in the same run. Every run is a
process of its own, and an audit that finds anything is an error. `--long` compares with the memory
for a longer log, of so many events with a quarter as many accounts.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from benchmarks import kit
from benchmarks.log_files import LogFiles, make_log
from benchmarks.mix import COMMANDS_AN_ACCOUNT, EVENTS_A_COMMAND
from consumers.deciding.decider import GROUP
from ledger.audit import audit

EVENTS_AN_ACCOUNT = 4


def measured(folder: Path, commands: int, accounts: int) -> dict[str, float]:
    """Make the log if it is not there, and audit it: events a processor second, and megabytes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not (folder / "ends").exists():
        make_log(folder, count=commands, accounts=accounts)
        return {}
    before = time.process_time()
    report = audit(LogFiles(folder), GROUP)
    seconds = time.process_time() - before
    if report.divergences:
        raise SystemExit(f"the audit found {report.divergences}")
    rate, peak = report.events / seconds, kit.peak_megabytes()
    return {"events": report.events, "rate": rate, "peak_mb": peak}


def main(events: int, long: int, base: Path | None, folder: Path, rounds: int) -> None:
    """Make the logs, measure by turns, print, and keep the result."""
    trees = {"now": kit.ROOT} if base is None else {"now": kit.ROOT, "base": base}
    commands = int(events / EVENTS_A_COMMAND)
    runs: dict[str, list[Mapping[str, float]]] = {name: [] for name in trees}
    for number in range(rounds + 1):
        for name, tree in trees.items():
            size = (commands, commands // COMMANDS_AN_ACCOUNT)
            run = _child(tree, folder / f"{_commit(tree)}-{events}", *size)
            if not run:
                run = _child(tree, folder / f"{_commit(tree)}-{events}", *size)
            runs[name] += [run] if number else []
    figures: dict[str, object] = {}
    for name, found in runs.items():
        rates, peaks = [each["rate"] for each in found], [each["peak_mb"] for each in found]
        print(
            f"{name:<5} {found[0]['events']:9,.0f} events, best {max(rates):7,.0f} and worst "
            f"{min(rates):7,.0f} a processor second, {max(peaks):4.0f} MB"
        )
        figures[name] = {
            "events": found[0]["events"],
            "rate_best": round(max(rates)),
            "rate_worst": round(min(rates)),
            "peak_mb": round(max(peaks)),
        }
    if base is not None:
        best = {name: max(each["rate"] for each in found) for name, found in runs.items()}
        figures["ratio"] = round(best["now"] / best["base"], 2)
        print(f"ratio {figures['ratio']}")
    if long:
        size = (int(long / EVENTS_A_COMMAND), long // EVENTS_AN_ACCOUNT)
        place = folder / f"{_commit(kit.ROOT)}-{long}"
        run = _child(kit.ROOT, place, *size) or _child(kit.ROOT, place, *size)
        figures["long"] = {name: round(value) for name, value in run.items()}
        print(
            f"long  {run['events']:9,.0f} events, {run['rate']:7,.0f} a processor second, "
            f"{run['peak_mb']:4.0f} MB"
        )
    settings = {"events": events, "long": long, "rounds": rounds}
    kit.keep("audit", settings=settings, figures=figures)


def _child(tree: Path, folder: Path, commands: int, accounts: int) -> dict[str, float]:
    """Run `measured` by the code of a tree, with the benchmarks of this one."""
    program = [str(tree / ".venv/bin/python"), "-m", "benchmarks.audit", "--measure", str(folder)]
    done = subprocess.run(
        [*program, str(commands), str(accounts)],
        check=True,
        stdout=subprocess.PIPE,
        cwd=kit.ROOT,
        env={**os.environ, "PYTHONPATH": str(kit.ROOT)},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _commit(tree: Path) -> str:
    """Names the code that decided a log; a changed file of a tree may need an empty folder."""
    words = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
        raise SystemExit
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--long", type=int, default=0)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    cache = Path(tempfile.gettempdir()) / "refunds-audit-benchmark"
    parser.add_argument("--folder", type=Path, default=cache)
    given = parser.parse_args()
    main(given.events, given.long, given.base, given.folder, given.rounds)

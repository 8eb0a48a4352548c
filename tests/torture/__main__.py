"""`make torture`: run the cells against one real stack, say what was found, keep the table.

The environment: CELLS selects by part of the name or by pattern, QUICK=1 those of CI,
FIRST=50 the fifty most telling, SEED repeats a run, REPORT names a page to add the cells to, and
MISSING=1 leaves out those that it has. The exit code is 1 if anything was found.
"""

from __future__ import annotations

import fnmatch
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ledger.log.kafka.reading.topic_tail import TopicTail
from ledger.log.seam import Topic
from projector.reconciling.reconcile import reconcile
from tests.consumers.processes.stacks import refundctl
from tests.torture import report
from tests.torture.arena import Arena, running_arena
from tests.torture.cells import Cell, all_cells
from tests.torture.running import Bench, Result
from tools.program import arguments


def main() -> int:
    """Run what the environment asks for; 0 if nothing was found."""
    console = Console()
    chosen = choose(os.environ.get("CELLS", ""), quick=bool(os.environ.get("QUICK")))
    if os.environ.get("MISSING"):
        chosen = report.missing(Path(os.environ["REPORT"]), chosen)
    chosen = chosen[: int(os.environ.get("FIRST") or len(chosen))]
    if not chosen:
        console.print("error: CELLS matches no cell; they are named component/fault/moment")
        return 2
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    console.print(f"{len(chosen)} cells, SEED={seed}")
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="refunds-torture-"))
    home.chmod(0o755)
    started = time.monotonic()
    results: list[Result] = []
    proof = ""
    try:
        with running_arena(home) as arena:
            try:
                run_all(Bench(arena, seed), chosen, console, results)
            except KeyboardInterrupt:
                proof = "interrupted before the end\n"
            proof += prove(arena)
            failed = [each for each in results if not each.clean]
            if failed or proof:
                console.print(f"what the processes said: {keep_logs(arena)}", highlight=False)
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return 130
    console.print(report.table(results))
    rows = [report.row_of(each) for each in results]
    console.print(report.sentence(rows), highlight=False)
    minutes = (time.monotonic() - started) / 60
    proven = f"audit, rebuild and reconciliation: {proof.strip() or 'nothing found'}"
    console.print(f"{minutes:.1f} minutes; {proven}", highlight=False)
    for each in failed:
        again = f"make torture CELLS='{each.cell.name}' SEED={each.seed}"
        console.print(f"again: {again}", style="red", highlight=False)
    if path := os.environ.get("REPORT"):
        run = f"{len(rows)} cells with SEED={seed} in {minutes:.0f} minutes; {proven}."
        report.write(Path(path), report.added(Path(path), rows, run))
    return 1 if failed or proof else 0


def choose(pattern: str, *, quick: bool) -> list[Cell]:
    """The cells whose name holds or matches the pattern; with `quick` those of CI."""
    return [
        cell
        for cell in all_cells()
        if (cell.quick or not quick)
        and (pattern in cell.name or fnmatch.fnmatchcase(cell.name, pattern))
    ]


def run_all(bench: Bench, chosen: Sequence[Cell], console: Console, results: list[Result]) -> None:
    """One after another, their results appended; a line for each as it ends."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=len(chosen))
        for cell in chosen:
            progress.update(task, description=cell.name)
            result = bench.run(cell)
            results.append(result)
            progress.console.print(_line(result), highlight=False)
            progress.advance(task)


def prove(arena: Arena) -> str:
    """What the audit, a rebuild and the reconciliation have to say about the whole ledger."""
    said = ""
    for words in (("audit", "verify"), ("rebuild", "--verify")):
        try:
            refundctl(arena.home, *words)
        except AssertionError as error:
            said += f"{' '.join(words)}: {error}\n"
    source = TopicTail(arena.settings, Topic.EVENTS)
    try:
        found = reconcile(arena.database_url, source)
    finally:
        source.close()
    return said + "".join(f"{each}\n" for each in found.divergences)


def keep_logs(arena: Arena) -> Path:
    """The logs, put where they outlive the arena."""
    kept = Path(tempfile.mkdtemp(prefix="refunds-torture-logs-"))
    shutil.copytree(arena.home / "logs", kept, dirs_exist_ok=True)
    return kept


def _line(result: Result) -> str:
    if result.skipped is not None:
        return f"SKIPPED {result.cell.name}: {result.skipped}"
    mark = "ok     " if result.clean else "FOUND  "
    seen = result.struck.seen if result.struck else ""
    told = "".join(f"\n        {each}" for each in result.told())
    return f"{mark} {result.cell.name}: {seen}, {result.seconds:.1f} s{told}"


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

"""The report: the table of the cells for a person at a terminal, and as a page of the docs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.table import Table

from tests.torture.history import Kind
from tests.torture.running import Result

SHORT = {
    Kind.LOST: "lost",
    Kind.DOUBLED: "doubled",
    Kind.TORN: "torn",
    Kind.REORDERED: "reordered",
    Kind.WRONG_OUTCOME: "wrong outcome",
    Kind.WRONG_READ_MODEL: "wrong row",
    Kind.WRONG_ANSWER: "wrong answer",
}


class Totals:
    """What all cells come to."""

    def __init__(self, results: Sequence[Result]) -> None:
        ran = [each for each in results if each.skipped is None]
        self.cells = len(ran)
        self.skipped = len(results) - len(ran)
        self.failed = sum(not each.clean for each in ran)
        self.published = sum(each.published for each in ran)
        self.commands = sum(each.commands for each in ran)
        self.duplicates = sum(each.duplicates for each in ran)
        self.events = sum(each.events for each in ran)
        self.looks = sum(each.looks for each in ran)
        self.violations = {kind: sum(each.count(kind) for each in ran) for kind in Kind}


def sentence(results: Sequence[Result]) -> str:
    """The whole run in one line."""
    totals = Totals(results)
    found = ", ".join(f"{totals.violations[kind]} {SHORT[kind]}" for kind in Kind)
    skipped = f"; {totals.skipped} skipped" if totals.skipped else ""
    return (
        f"{totals.cells} cells; {totals.published:,} commands published, "
        f"{totals.duplicates / max(totals.published, 1):.0%} of them redeliveries; "
        f"{totals.commands:,} decided, follow-ups included; {totals.events:,} events, "
        f"{totals.looks:,} looks at the read models: {found}; {totals.failed} cells failed{skipped}"
    )


def table(results: Iterable[Result]) -> Table:
    """For the terminal."""
    made = Table(box=None, pad_edge=False)
    for name in ("cell", "commands", "twice", "events", "looks", "again after", "took", "found"):
        made.add_column(name, justify="left" if name in ("cell", "found") else "right")
    for each in results:
        made.add_row(*_row(each), style=None if each.clean else "red")
    return made


def page(results: Sequence[Result], heading: str, replay: str) -> str:
    """As Markdown, with how to read it."""
    lines = [
        "# Torture: what was done to a running ledger, and what was found",
        "",
        heading,
        "",
        f"**{sentence(results)}.**",
        "",
        *_waits("Decider killed with -9, until every partition decided again", results, "kill"),
        *_waits("Decider stopped, until the other one had taken over", results, "stop"),
        "",
        "## How to read the table",
        "",
        EXPLAINED,
        "",
        f"One cell is run again by `{replay}`.",
        "",
        "## The cells",
        "",
        "| component | fault | moment | commands | redelivered | events | looks | again after | "
        + " | ".join(SHORT.values())
        + " | result |",
        "|---|---|---|" + "--:|" * (5 + len(SHORT)) + "---|",
        *(_line(each) for each in results),
        "",
    ]
    return "\n".join(lines)


EXPLAINED = """\
A cell is one fault, at one moment, of one component, under the mixed workload: about a thousand
commands on accounts of the cell's own, from instances, the marketplace and reservations, with
refusals, records that cannot be read, records on the wrong partition, instances whose deadline
comes meanwhile, and 30 % redeliveries. One stack serves all cells: a broker, a database, two
deciders, a reactions process and a projector, whose connections all go through proxies.

- **kill**, **raise**, **stop** at a named point: the process ended with -9, failed or was stopped
  as it passed that failpoint. Points after **start** are passed while it restores. A stopped
  decider goes on only when the other one has taken over and decided everything.
- **lose request**, **lose reply**, **swallow reply**: of that request on the way to the broker, or
  (COMMIT) to the database; swallowed means that nothing ever comes back on a connection that
  stays open. **cut**, **delay** and **half-open** hit all connections of the component.
- **disk full**: not one byte more fits on the disk of the deciders' stores, the broker or the
  database, until somebody has complained.
- **commands** are the records in the log, follow-ups and those sent again included; **redelivered**
  are those that a client sent more than once.
- **looks** are answers that a client was given and snapshots of the read models, during and after
  the fault. Each must be what the log adds up to at the projector's place.
- **again after** is how many seconds after the fault the last partition was decided in again.

After each cell the checker holds every acked command, every event byte for byte with its place in
the hash chain, every dead letter, every follow-up and deadline, every answer and every row to the
pure model folded over the command log. After the last cell the audit and the reconciliation go over
the whole ledger."""


def write(path: Path, text: str) -> None:
    """Put the page where it is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _row(each: Result) -> tuple[str, ...]:
    if each.skipped is not None:
        return (each.cell.name, *[""] * 6, f"SKIPPED: {each.skipped}")
    return (
        each.cell.name,
        str(each.commands),
        str(each.duplicates),
        str(each.events),
        str(each.looks),
        _seconds(each.decided_again_seconds),
        _seconds(each.seconds),
        "; ".join(each.told()) or "nothing",
    )


def _line(each: Result) -> str:
    cell = each.cell
    counts = [str(each.count(kind)) for kind in Kind]
    if each.skipped is not None:
        cells = [*[""] * 5, *[""] * len(counts), f"skipped: {each.skipped}"]
    else:
        result = "ok" if each.clean else each.failure or "VIOLATED"
        figures = (each.commands, each.duplicates, each.events, each.looks)
        cells = [*map(str, figures), _seconds(each.decided_again_seconds), *counts, result]
    return f"| {' | '.join([cell.component, cell.fault_name, cell.moment, *cells])} |"


def _waits(what: str, results: Sequence[Result], fault: str) -> list[str]:
    """A distribution, not a verdict: the machine it was measured on is shared."""
    waits = sorted(
        each.decided_again_seconds
        for each in results
        if each.cell.component.startswith("decider")
        and each.cell.fault_name == fault
        and each.decided_again_seconds is not None
    )
    if len(waits) < 2:
        return []
    return [
        f"- {what}: {len(waits)} times; median {statistics.median(waits):.1f} s, "
        f"longest {waits[-1]:.1f} s, {sum(each <= 10 for each in waits)} within 10 s."
    ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"

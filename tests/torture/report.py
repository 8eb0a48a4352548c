"""The report: the table of the cells for a person at a terminal, and as a page of the docs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct
from rich.table import Table

from tests.torture.cells import Cell
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
COLUMNS = (
    *("component", "fault", "moment", "published", "redelivered", "commands", "events", "looks"),
    "again after",
    *SHORT.values(),
    "result",
)
_RUN = "- Run: "
_SKIPPED = "skipped: "


class Row(Struct, frozen=True, kw_only=True):
    """A cell as it stands in the table. `found` counts the violations in the order of `Kind`."""

    component: str
    fault: str
    moment: str
    published: int = 0
    redelivered: int = 0
    commands: int = 0
    events: int = 0
    looks: int = 0
    again_seconds: float | None = None
    found: tuple[int, ...] = (0,) * len(Kind)
    result: str

    @property
    def cell(self) -> tuple[str, str, str]:
        """What makes it distinct."""
        return self.component, self.fault, self.moment

    @property
    def skipped(self) -> bool:
        """Whether the machine did not allow it."""
        return self.result.startswith(_SKIPPED)


def row_of(result: Result) -> Row:
    """What a cell comes to."""
    cell = result.cell
    if result.skipped is not None:
        told = f"{_SKIPPED}{result.skipped}"
    else:
        told = "ok" if result.clean else result.failure or "VIOLATED"
    return Row(
        component=cell.component,
        fault=cell.fault_name,
        moment=cell.moment,
        published=result.published,
        redelivered=result.duplicates,
        commands=result.commands,
        events=result.events,
        looks=result.looks,
        again_seconds=result.decided_again_seconds,
        found=tuple(result.count(kind) for kind in Kind),
        result=told,
    )


def sentence(rows: Sequence[Row]) -> str:
    """All cells in one line."""
    ran = [each for each in rows if not each.skipped]
    published, decided = sum(each.published for each in ran), sum(each.commands for each in ran)
    events, looks = sum(each.events for each in ran), sum(each.looks for each in ran)
    failed = sum(each.result != "ok" for each in ran)
    share = sum(each.redelivered for each in ran) / max(published, 1)
    counts = [sum(each.found[place] for each in ran) for place, _ in enumerate(Kind)]
    found = ", ".join(f"{n} {name}" for n, name in zip(counts, SHORT.values(), strict=True))
    skipped = f"; {len(rows) - len(ran)} skipped" if len(rows) > len(ran) else ""
    return (
        f"{len(ran)} cells; {published:,} commands published, {share:.0%} of them redeliveries; "
        f"{decided:,} decided, follow-ups included; {events:,} events, {looks:,} looks at the read "
        f"models: {found}; {failed} cells failed{skipped}"
    )


def table(results: Iterable[Result]) -> Table:
    """For the terminal."""
    made = Table(box=None, pad_edge=False)
    for name in ("cell", "commands", "twice", "events", "looks", "again after", "took", "found"):
        made.add_column(name, justify="left" if name in ("cell", "found") else "right")
    for each in results:
        made.add_row(*_row(each), style=None if each.clean else "red")
    return made


def page(rows: Sequence[Row], runs: Sequence[str]) -> str:
    """As Markdown, with how to read it. `runs` says by which runs it was written."""
    lines = [
        "# Torture: faults injected into a running ledger, and the results",
        "",
        f"**{sentence(rows)}.**",
        "",
        *_waits("Time from kill -9 of a decider until every partition decided again", rows, "kill"),
        *_waits("Time from pausing a decider until the other one had taken over", rows, "stop"),
        "",
        "Written by `make torture REPORT=…`, on a machine that was shared with other work:",
        "",
        *(f"{_RUN}{each}" for each in runs),
        "",
        "## How to read the table",
        "",
        EXPLAINED,
        "",
        "Run a cell again with `make torture CELLS=component/fault/moment SEED=…`.",
        "",
        "## The cells",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|---|---|---|{'--:|' * (len(COLUMNS) - 4)}---|",
        *(_line(each) for each in rows),
        "",
    ]
    return "\n".join(lines)


def added(path: Path, rows: Sequence[Row], run: str) -> str:
    """The page with the cells of a run added: one that stood there already is replaced."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = {each.cell: each for each in rows_in(text)} | {each.cell: each for each in rows}
    return page(list(known.values()), [*runs_in(text), run])


def missing(path: Path, cells: Sequence[Cell]) -> list[Cell]:
    """The cells that a page does not have yet."""
    known = {each.cell for each in rows_in(path.read_text(encoding="utf-8"))}
    return [each for each in cells if (each.component, each.fault_name, each.moment) not in known]


def rows_in(text: str) -> list[Row]:
    """The rows of a page."""
    marked = [line for line in text.splitlines() if line.startswith("| ")]
    return [_read(line.strip("| ").split(" | ")) for line in marked[1:]]


def runs_in(text: str) -> list[str]:
    """The runs that wrote a page."""
    return [line.removeprefix(_RUN) for line in text.splitlines() if line.startswith(_RUN)]


EXPLAINED = """\
A cell is one fault, at one moment, in one component, under a mixed workload: about a thousand
commands on the cell's own accounts, from instances, the marketplace and reservations. They
include refusals, unreadable records, records on a wrong partition, instances whose deadline
comes during the cell, and 30 % redeliveries. One stack serves all cells: a broker, a database,
two deciders, reactions, a projector and webhooks. All their connections go through proxies.

- **kill**, **raise**, **stop** at a named point: at that failpoint the process was killed with
  -9, got an exception, or was paused. Points after **start** are passed during the restore. A
  paused decider is resumed only after the other one has taken over and decided everything.
- **lose request**, **lose reply**, **swallow reply**: the named request to the broker, or COMMIT
  to the database, was lost, or its reply was. Swallowed means that no reply ever comes on a
  connection that stays open. **cut**, **delay** and **half-open** affect all connections of the
  component.
- **disk full**: the disk of the deciders' stores, the broker or the database has no free space
  until a process has reported an error.
- **published**: records that were acknowledged to a client; **redelivered**: those it sent more
  than once; **commands**: all commands in the log, including follow-ups and deadlines.
- **looks**: answers that a client got, and snapshots of the read models, during and after the
  fault. Each must equal the result of the log up to the projector's position.
- The receiver of a webhook in the arena must get every event, as it is at every repeat, and first
  in order by account.
- **again after**: the seconds from the fault until every partition decided commands again.

After each cell the checker compares every acknowledged command, every event (byte for byte, with
its hash chain), every dead letter, every follow-up and deadline, every answer and every row with
the pure model, folded over the command log. After the last cell the audit, a rebuild of every
view and the reconciliation check the whole ledger."""


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


def _line(each: Row) -> str:
    figures = (each.published, each.redelivered, each.commands, each.events, each.looks)
    again = _seconds(each.again_seconds)
    cells = (*each.cell, *map(str, figures), again, *map(str, each.found), each.result)
    return f"| {' | '.join(cells)} |"


def _read(cells: Sequence[str]) -> Row:
    component, fault, moment, *figures = cells
    published, redelivered, commands, events, looks = map(int, figures[:5])
    return Row(
        component=component,
        fault=fault,
        moment=moment,
        published=published,
        redelivered=redelivered,
        commands=commands,
        events=events,
        looks=looks,
        again_seconds=float(figures[5]) if figures[5] else None,
        found=tuple(map(int, figures[6:-1])),
        result=figures[-1],
    )


def _waits(what: str, rows: Sequence[Row], fault: str) -> list[str]:
    """A distribution, not a verdict: the machine it was measured on is shared."""
    waits = sorted(
        each.again_seconds
        for each in rows
        if each.component.startswith("decider")
        and each.fault == fault
        and each.again_seconds is not None
    )
    if len(waits) < 2:
        return []
    return [
        f"- {what}: {len(waits)} times; median {statistics.median(waits):.1f} s, "
        f"longest {waits[-1]:.1f} s, {sum(each <= 10 for each in waits)} within 10 s."
    ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"

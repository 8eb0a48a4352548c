"""`refundctl rebuild`: makes the read models anew from the log, while everybody goes on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projector.rebuild import Progress, Rebuilt
    from projector.views import View


def rebuild(
    view: Annotated[
        list[str] | None, typer.Option("--view", metavar="NAME", help="This view; may be repeated.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with what was live, byte for byte.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Make the read models anew from the first event on, and put them in place of the live ones.

    Nothing has to be stopped: readers go on with the old tables, the projector waits for a moment
    at the end. What is interrupted goes on where it was when the command is given again. With
    --verify a view that differs from what was live is named with its first key, and the exit code
    is 1; the new tables are in place all the same.

    Examples:

      refundctl rebuild --verify

      refundctl rebuild --view refunds --view postings
    """
    from console.ledger_found import find_ledger
    from console.output import console, json_line, put
    from console.settings import read_settings
    from ledger.kafka_log import KafkaTail
    from ledger.log import Topic
    from projector.migrations import migrate
    from projector.rebuild import rebuild as rebuild_views

    views = _chosen(view)
    ledger = find_ledger(read_settings())
    migrate(ledger.database_url)
    source = KafkaTail(ledger.kafka, Topic.EVENTS)
    try:
        with _bar() as tell:
            found = rebuild_views(ledger.database_url, source, views, tell, verify=verify)
    finally:
        source.close()
    if as_json:
        typer.echo(json_line(_to_json(found)))
    else:
        put(console(), _told(found))
    if found.divergences:
        raise typer.Exit(1)


def _chosen(names: Sequence[str] | None) -> tuple[View, ...]:
    """The views of these names, all without any, in the order in which they are written."""
    from projector.views import VIEWS

    known = {view.TABLE.name: view for view in VIEWS}
    wanted = [name.replace("-", "_") for name in names or known]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise BadInput(f"no view is called {name!r}{meant} (all: {', '.join(known)})")
    return tuple(view for name, view in known.items() if name in wanted)


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal's stderr: how much of the log is folded, how fast, how long yet."""
    from console.output import console

    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("rebuilding", total=None, rate="")
        yield _Teller(bar, task)


class _Teller:
    """Passes what a rebuild says on to a bar. What an earlier run did is done, but was not fast."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task, self._begun = bar, task, False

    def __call__(self, told: Progress) -> None:
        if not self._begun:
            self._begun = True
            self._bar.reset(self._task, total=told.total, completed=told.done, rate="")
        elapsed = self._bar.tasks[0].elapsed or 0.0
        rate = f"{told.events / elapsed:,.0f} events/s" if elapsed and told.events else ""
        self._bar.update(self._task, total=told.total, completed=told.done, rate=rate)


def _to_json(found: Rebuilt) -> dict[str, Any]:
    from console.drift import divergence_to_json

    compared = found.divergences
    return {
        "views": list(found.views),
        "positions": {str(p): offset for p, offset in found.positions.items()},
        "events": found.events,
        "seconds": round(found.seconds, 3),
        "divergences": None if compared is None else [divergence_to_json(d) for d in compared],
    }


def _told(found: Rebuilt) -> str:
    from console.drift import divergence_lines

    count = len(found.views)
    what = f"{count} views" if count > 1 else f"view {found.views[0]}"
    at = ", ".join(f"{p}:{offset}" for p, offset in found.positions.items())
    rate = f"{found.events / found.seconds:,.0f} events/s" if found.seconds else ""
    lines = [
        f"{what} rebuilt from {found.events:,} events in {found.seconds:.1f} s ({rate}) "
        f"and put in place at offsets {at}"
    ]
    if found.divergences == ():
        lines.append("byte-equal with what was live there")
    for divergence in found.divergences or ():
        lines += ["differs from what was live:", *divergence_lines(divergence)]
    return "\n".join(lines)

"""`refundctl rebuild`: builds the read models again from the log, while the ledger is in use."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projector.views import View


def rebuild(
    view: Annotated[
        list[str] | None,
        typer.Option("--view", metavar="NAME", help="Only this view; may be repeated."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with the old tables, byte for byte.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Build the read models again from the first event.

    Nothing has to be stopped: readers use the old tables, and the projector waits for a moment at
    the end. After an interruption, run the command again: it continues where it was. With --verify,
    a view that differs from its old table is shown with the first differing key, and the exit code
    is 1; the new tables are used anyway.

    Examples:

      refundctl rebuild --verify

      refundctl rebuild --view refunds --view postings
    """
    from console.rendering.reports.rebuild import rebuilt_in_words, rebuilt_to_json
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import console, json_line, put
    from console.terminal.progress_bar import bar
    from ledger.log.kafka import TopicTail
    from ledger.log.seam import Topic
    from projector.migrations import migrate
    from projector.rebuilding.rebuild import rebuild as rebuild_views

    log_to_stderr("error", json=False)
    views = _chosen(view)
    ledger = find_ledger(read_settings())
    migrate(ledger.database_url)
    source = TopicTail(ledger.kafka, Topic.EVENTS)
    try:
        with bar("rebuilding", "events") as tell:
            found = rebuild_views(ledger.database_url, source, views, tell, verify=verify)
    finally:
        source.close()
    if as_json:
        typer.echo(json_line(rebuilt_to_json(found)))
    else:
        put(console(), rebuilt_in_words(found))
    if found.divergences:
        raise typer.Exit(1)


def _chosen(names: Sequence[str] | None) -> tuple[View, ...]:
    """The views with these names (default: all), in the order in which they are written."""
    from projector.views import VIEWS

    known = {view.TABLE.name: view for view in VIEWS}
    wanted = [name.replace("-", "_") for name in names or known]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise BadInput(f"there is no view {name!r}{meant} (all: {', '.join(known)})")
    return tuple(view for name, view in known.items() if name in wanted)

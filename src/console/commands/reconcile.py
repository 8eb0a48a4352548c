"""`refundctl reconcile`: compares every read model with the log, with independent code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.rendering.reports.drift import divergence_lines, divergence_to_json

if TYPE_CHECKING:
    from projector.reconciling.reconcile import Reconciliation


def reconcile(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare every row of every read model with the log.

    Both sides are compared at the same position of the log, while the projector continues. Nothing
    is written. If a view differs from the log, its first differing row is shown, and the exit code
    is 1.

    Examples:

      refundctl reconcile

      refundctl reconcile --json | jq .divergences
    """
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import console, json_line, put
    from console.terminal.progress_bar import bar
    from ledger.log.kafka import TopicTail
    from ledger.log.seam import Topic
    from projector.reconciling.reconcile import reconcile as reconcile_all

    log_to_stderr("error", json=False)
    ledger = find_ledger(read_settings())
    source = TopicTail(ledger.kafka, Topic.EVENTS)
    try:
        with bar("reconciling", "events") as tell:
            found = reconcile_all(ledger.database_url, source, tell=tell)
    finally:
        source.close()
    if as_json:
        typer.echo(json_line(reconciliation_to_json(found)))
    else:
        put(console(), reconciliation_in_words(found))
    if found.divergences:
        raise typer.Exit(1)


def reconciliation_to_json(found: Reconciliation) -> dict[str, Any]:
    """A reconciliation as one JSON object."""
    return {
        "agrees": not found.divergences,
        "positions": {str(p): offset for p, offset in found.positions.items()},
        "rows": found.rows_of,
        "divergences": [divergence_to_json(each) for each in found.divergences],
    }


def reconciliation_in_words(found: Reconciliation) -> str:
    """What was compared, and where it differs."""
    at = ", ".join(f"{p}:{offset}" for p, offset in found.positions.items())
    compared = f"{len(found.rows_of)} views with {found.rows:,} rows, at offsets {at}"
    if not found.divergences:
        return f"equal to the log: {compared}"
    lines = [f"NOT equal to the log: {compared}"]
    for divergence in found.divergences:
        lines += divergence_lines(divergence)
    return "\n".join(lines)

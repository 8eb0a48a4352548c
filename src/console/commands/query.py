"""`refundctl query`: queries the read models, for people or for programs."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from ledger.values.instants import Instant
    from projector.asking.queries import Moment


def query(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The query; without a name, all are listed."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", "-a", help="Only this account's rows.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="INSTANT", help="What had happened by this instant (RFC 3339)."
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", metavar="INSTANT", help="As far as recorded by this instant."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Only these columns, separated by commas.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many rows.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
) -> None:
    """Query the read models, now or at a past instant.

    Write an instant as 2026-01-31T23:59:59Z. The same query about the past always has the same
    answer. With --at alone, the answer uses everything recorded up to the last complete instant,
    and that instant is printed.

    Examples:

      refundctl query

      refundctl query recycle-bin --account acct-1

      refundctl query refunds --json | jq .working

      refundctl query reservations --columns reservation_id,remaining_days,remaining_value

      refundctl query statement --account acct-1 --at 2026-01-31T23:59:59Z

      refundctl query balances --at 2026-01-31T23:59:59Z --known-at 2026-02-03T09:00:00Z
    """
    from console.rendering.reports.answers import answer_table
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.sealing.master_key import master_key
    from console.sealing.showing import Opener
    from console.terminal.output import console, json_line, put
    from projector.asking.queries import as_records, ask, of_columns
    from projector.asking.queries import moment as moment_of
    from projector.questions import QUESTIONS

    if name is None:
        for question in QUESTIONS.values():
            typer.echo(f"{question.name:<22} {question.about}")
        return
    if name not in QUESTIONS:
        near = difflib.get_close_matches(name, list(QUESTIONS), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise BadInput(f"there is no query {name!r}{meant} (all: {', '.join(QUESTIONS)})")
    question = QUESTIONS[name]
    if columns is not None:
        question = of_columns(question, [each.strip() for each in columns.split(",")])
    as_of, known = _instant("--at", at), _instant("--known-at", known_at)
    settings = read_settings()
    ledger, master = find_ledger(settings), master_key(settings)
    with connected(ledger.database_url) as connection:
        moment = moment_of(connection, as_of, known)
        answer = Opener(connection, master).answer(
            ask(connection, question, account, limit, moment)
        )
    if moment is not None:
        typer.echo(_told(moment), err=True)
    if as_json:
        for record in as_records(answer):
            typer.echo(json_line(record))
    else:
        put(console(), answer_table(answer))


def _instant(option: str, text: str | None) -> Instant | None:
    from ledger.values.instants import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}; write an instant like 2026-01-31T23:59:59Z") from error


def _told(moment: Moment) -> str:
    from ledger.values.instants import format_instant

    as_of, known_at = format_instant(moment.as_of), format_instant(moment.known_at)
    return f"as of {as_of}, as known at {known_at} (--at {as_of} --known-at {known_at})"

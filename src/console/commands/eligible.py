"""`refundctl eligible`: what may be done with each thing of an account now, and what it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from ledger.values.instants import Instant


def eligible(
    account: Annotated[str, typer.Option("--account", "-a", help="Whose things.")],
    actor: Annotated[
        str | None,
        typer.Option("--actor", help="Who would act; each thing's own owner or buyer if left out."),
    ] = None,
    support: Annotated[
        bool, typer.Option("--support", help="As support standing in for owner and buyer.")
    ] = False,
    usd_rate: Annotated[
        str | None,
        typer.Option("--usd-rate", help="US dollars for one unit of the account's currency."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="At a later instant (RFC 3339), to plan."),
    ] = None,
    working: Annotated[
        bool, typer.Option("--working", help="With every step and every figure compared.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell what may be done now, and what it would bring.

    Of every instance, purchase and reservation: each act of its owner or buyer, judged as it would
    be judged now, for the whole quantity and as if agreed to; what it would bring, and every rule
    that stands in the way. Nothing is published. With --at, timers due by then are taken as done.

    Examples:

      refundctl eligible --account acct-1

      refundctl eligible --account acct-1 --at 2026-01-31T00:00:00Z --working

      refundctl eligible --account acct-2 --usd-rate 1.08 --support

      refundctl eligible --account acct-1 --json | jq '.things[].acts[] | select(.may)'
    """
    from console.explaining.eligibility import eligibility_of
    from console.rendering.reports.eligibility import (
        eligibility_head,
        eligibility_table,
        eligibility_to_json,
        eligibility_workings,
    )
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.running.terms_files import terms_in_force
    from console.terminal.output import console, json_line, put
    from projector.asking.histories import history

    later = _instant(at)
    ledger = find_ledger(read_settings())
    with connected(ledger.database_url) as connection:
        events = history(connection, account)
    found = eligibility_of(
        events,
        terms_in_force(ledger),
        later=later,
        usd_rate=usd_rate,
        actor_id=actor,
        support=support,
    )
    if as_json:
        typer.echo(json_line(eligibility_to_json(found)))
        return
    typer.echo(eligibility_head(found))
    put(console(), eligibility_table(found))
    for line in eligibility_workings(found) if working else ():
        typer.echo(line)


def _instant(text: str | None) -> Instant | None:
    from ledger.values.instants import parse_instant

    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise BadInput(f"--at: {error}; write one such as 2026-01-31T00:00:00Z") from error

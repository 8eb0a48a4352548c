"""`refundctl submit`: publishes a command file to the running ledger and prints each outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from console.submitting.command_files import Line
    from console.submitting.live_listener import Listener
    from console.submitting.live_submission import CommandContent, FindFirsts
    from console.submitting.outcomes import LineOutcome
    from console.submitting.sandbox_submission import Passed
    from ledger.values.money import Currency
    from ledger.wire.json.command_file import FindAnswer
    from projector.asking.outcomes import Outcome

PATIENCE_SECONDS = 60.0
_SHOWN_SECONDS = 10.0
_BAR_FROM_LINES = 200


def submit(
    file: Annotated[
        Path,
        typer.Argument(help="A command file, one JSON object per line; - reads standard input."),
    ],
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Only publish; do not wait for outcomes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 if a command is refused.")
    ] = False,
) -> None:
    """Publish a command file to the running ledger.

    The whole file is checked first; if it has an error, nothing is published. Then the outcome of
    each command is printed; a refusal is a normal outcome. In a sandbox each line has its instant
    (at), and the clock advances from line to line as in 'refundctl simulate'. Otherwise the
    broker's time counts, and a file with instants is rejected. A command that was submitted before
    shows its first outcome.

    Examples:

      refundctl submit examples/01-five-days.jsonl

      refundctl submit orders.jsonl --json > outcomes.jsonl
    """
    from console.running.ledger_locator import connected, find_ledger, is_sandbox
    from console.running.settings import read_settings
    from console.submitting.command_files import accounts_in, read_bytes, read_lines
    from console.submitting.live_listener import Listener
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    ledger = find_ledger(read_settings())
    content = read_bytes(file)
    with connected(ledger.database_url) as connection:
        sandbox = is_sandbox(connection)
        listener = Listener(ledger.kafka)
        try:
            currencies = known_currencies(connection, listener, accounts_in(content))
            lines = read_lines(file, content, require_at=sandbox, known_currencies=currencies)
            if no_wait:
                _publish_only(ledger, listener, lines, sandbox=sandbox)
                return
            found = outcomes_of(connection, listener, lines, sandbox=sandbox)
            tally = _print(found, len(lines), as_json=as_json)
            _wait_until_shown(connection, listener)
        finally:
            listener.close()
    _end(tally, strict=strict)


def outcomes_of(
    connection: Any, listener: Listener, lines: tuple[Line, ...], *, sandbox: bool
) -> Iterable[LineOutcome | Passed]:
    """Publish the lines and return each outcome when it is known."""
    from console.submitting.live_submission import LiveSubmission
    from console.submitting.sandbox_submission import sandbox_outcomes
    from consumers.sandbox.sandbox_world import SandboxWorld
    from ledger.wire.json.command_file import CommandLine

    quotes, firsts = find_answer_in(connection), _find_firsts_in(connection, listener)
    if sandbox:
        world = SandboxWorld(connection, listener.tools, patience_seconds=PATIENCE_SECONDS)
        _tell_if_behind(world.now(), lines)
        return sandbox_outcomes(world, listener, lines, quotes, firsts)
    commands = [line for line in lines if isinstance(line, CommandLine)]
    submission = LiveSubmission(listener, quotes, firsts, patience_seconds=PATIENCE_SECONDS)
    return submission.outcomes(commands)


def known_currencies(
    connection: Any, listener: Listener, accounts: Iterable[str]
) -> dict[str, Currency]:
    """Account → currency, for accounts of the running ledger."""
    from console.submitting.live_listener import shown

    shown(connection, listener.positions, _SHOWN_SECONDS)
    rows = connection.execute(
        "SELECT account_id, currency FROM read_models.accounts WHERE account_id = ANY(%s)",
        (sorted(accounts),),
    )
    return dict(rows.fetchall())


def find_answer_in(connection: Any) -> FindAnswer:
    """Looks up in the read models what a command led to."""
    import msgspec

    from console.submitting.scenario_runner import answer_with
    from ledger.vocabulary.events import EVENTS
    from ledger.wire.json.command_file import Answer

    def find(account: str, command_id: str) -> Answer | None:
        rows = connection.execute(
            "SELECT event_name, body FROM finance.events"
            " WHERE account_id = %s AND command_id = %s ORDER BY log_sequence",
            (account, command_id),
        )
        found: Answer | None = None
        for name, body in rows.fetchall():
            event = msgspec.convert(body, EVENTS[name])
            found = answer_with(found or Answer(), event) or found
        return found

    return find


def _find_firsts_in(connection: Any, listener: Listener) -> FindFirsts:
    from console.submitting.live_listener import shown
    from projector.asking.outcomes import outcomes

    def find(wanted: Sequence[CommandContent]) -> dict[CommandContent, Outcome]:
        shown(connection, listener.positions, _SHOWN_SECONDS)
        found = outcomes(connection, {(account, command_id) for account, command_id, _ in wanted})
        return {
            (each.account_id, each.command_id, each.command_digest): each
            for of_id in found.values()
            for each in of_id
        }

    return find


def _publish_only(
    ledger: Ledger, listener: Listener, lines: tuple[Line, ...], *, sandbox: bool
) -> None:
    from consumers.follow_ups import command_record
    from ledger.wire.json.command_file import CommandLine, resolve

    if sandbox:
        raise BadInput("a sandbox runs one command at a time; leave out --no-wait")
    commands = [line for line in lines if isinstance(line, CommandLine)]
    for line in commands:
        if line.references:
            raise BadInput(
                f"line {line.line_number} refers to the result of an earlier line, "
                "which must be known first; leave out --no-wait"
            )
    given = [resolve(line, lambda *_: None) for line in commands]
    listener.publish([command_record(each, ledger.partition_count) for each in given])
    typer.echo(f"published {len(given)} commands; 'refundctl query' shows the results")


def _print(found: Iterable[LineOutcome | Passed], count: int, *, as_json: bool) -> dict[str, int]:
    from console.submitting.outcomes import LineOutcome, outcome_to_json, outcome_told, passed_told
    from console.terminal.output import json_line
    from ledger.wire.json.mapping import event_to_json

    tally: dict[str, int] = {}
    for each in _with_bar(found, count):
        if isinstance(each, LineOutcome):
            tally[each.kind] = tally.get(each.kind, 0) + 1
            typer.echo(json_line(outcome_to_json(each)) if as_json else outcome_told(each))
        elif as_json:
            events = [event_to_json(event) for event in each]
            typer.echo(json_line({"outcome": "time_passed", "events": events}))
        else:
            typer.echo(passed_told(each))
    if not as_json:
        typer.echo(", ".join(f"{number} {kind}" for kind, number in sorted(tally.items())))
    return tally


def _with_bar(found: Iterable[LineOutcome | Passed], count: int) -> Iterator[LineOutcome | Passed]:
    """With a progress bar on the terminal's stderr if there are many lines."""
    from console.terminal.output import console

    out = console(stderr=True)
    if count < _BAR_FROM_LINES or not out.is_terminal:
        yield from found
        return
    from rich.progress import track

    yield from track(found, total=count, console=out, description="outcomes", transient=True)


def _tell_if_behind(now: int, lines: tuple[Line, ...]) -> None:
    from ledger.values.instants import format_instant

    first = lines[0].at
    if first is not None and first < now:
        typer.echo(
            f"note: the sandbox is already at {format_instant(now)}; earlier lines are decided "
            "then",
            err=True,
        )


def _wait_until_shown(connection: Any, listener: Listener) -> None:
    from console.submitting.live_listener import shown

    if not shown(connection, listener.positions, _SHOWN_SECONDS):
        typer.echo(
            "note: the read models lag behind; see 'refundctl status' before you query", err=True
        )


def _end(tally: dict[str, int], *, strict: bool) -> None:
    from console.submitting.outcomes import Kind

    bad = [Kind.DEAD_LETTER, Kind.UNKNOWN, *([Kind.REFUSED] if strict else [])]
    if any(tally.get(kind) for kind in bad):
        raise typer.Exit(1)

"""`refundctl submit`: publishes a command file to the running ledger and prints each outcome."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from console.sealing.giving import Sealing
    from console.submitting.command_files import CommandsInFile, Line, TellBytes
    from console.submitting.live_listener import Listener
    from console.submitting.live_submission import CommandContent, FindFirsts
    from console.submitting.outcomes import LineOutcome
    from console.submitting.sandbox_submission import Passed
    from ledger.values.money import Currency
    from ledger.wire.json.command_lines import FindAnswer, Named
    from projector.asking.outcomes import Outcome

PATIENCE_SECONDS = 60.0
_SHOWN_SECONDS = 10.0
_BAR_FROM_LINES = 200
_PUBLISHED_AT_ONCE = 5_000


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
    shows its first outcome. A file may be of any length: only some of its lines are in memory.

    Examples:

      refundctl submit examples/01-five-days.jsonl

      refundctl submit orders.jsonl --json > outcomes.jsonl
    """
    from console.running.ledger_locator import connected, find_ledger, is_sandbox
    from console.running.origins.own_signature import signing_of
    from console.running.settings import read_settings
    from console.sealing.giving import sealing_with
    from console.sealing.master_key import master_key
    from console.submitting.command_files import commands_in
    from console.submitting.live_listener import Listener
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    settings = read_settings()
    ledger, master = find_ledger(settings), master_key(settings)
    with connected(ledger.database_url) as connection:
        seal = sealing_with(connection, master)
        sandbox = is_sandbox(connection)
        listener = Listener(ledger.kafka, signing_of(ledger))
        try:
            with commands_in(file, require_at=sandbox) as commands:
                count = _checked(connection, listener, commands)
                if master is not None:
                    _all_fit(commands)
                if no_wait:
                    _publish_only(ledger, listener, commands, count, seal, sandbox=sandbox)
                    return
                referred = commands.survey.referred
                lines = commands.lines()
                found = outcomes_of(
                    connection, listener, lines, seal, sandbox=sandbox, referred=referred
                )
                tally = _print(found, count, as_json=as_json)
            _wait_until_shown(connection, listener)
        finally:
            listener.close()
    _end(tally, strict=strict)


def _all_fit(commands: CommandsInFile) -> None:
    """BadInput, before anything is published, if a text is too long to be sealed."""
    from console.sealing.giving import refuse_too_long
    from ledger.wire.json.command_lines import CommandLine

    for line in commands.lines():
        if isinstance(line, CommandLine):
            refuse_too_long(line.command)


def _checked(connection: Any, listener: Listener, commands: CommandsInFile) -> int:
    """How many commands the file gives; it was read twice and has no problem."""
    with _bar_of_bytes("looking through", commands) as tell:
        commands.look(tell)
    currencies = known_currencies(connection, listener, commands.survey.accounts)
    with _bar_of_bytes("checking", commands) as tell:
        return commands.check(currencies, tell).commands


def outcomes_of(
    connection: Any,
    listener: Listener,
    lines: Iterable[Line],
    seal: Sealing,
    *,
    sandbox: bool,
    referred: Container[Named] | None = None,
) -> Iterable[LineOutcome | Passed]:
    """Publish the lines and return each outcome when it is known."""
    from console.submitting.live_submission import LiveSubmission
    from console.submitting.sandbox_submission import sandbox_outcomes
    from consumers.sandbox.sandbox_world import SandboxWorld
    from ledger.wire.json.command_lines import CommandLine

    quotes, firsts = find_answer_in(connection), _find_firsts_in(connection, listener)
    if sandbox:
        world = SandboxWorld(
            connection,
            listener.tools,
            patience_seconds=PATIENCE_SECONDS,
            signing=listener.signing,
        )
        told = _told_if_behind(world.now(), lines)
        return sandbox_outcomes(world, listener, told, quotes, firsts, referred, seal)
    submission = LiveSubmission(
        listener,
        quotes,
        firsts,
        patience_seconds=PATIENCE_SECONDS,
        referred=referred,
        seal=seal,
    )
    return submission.outcomes(line for line in lines if isinstance(line, CommandLine))


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
    from ledger.wire.json.command_lines import Answer

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
    ledger: Ledger,
    listener: Listener,
    commands: CommandsInFile,
    count: int,
    seal: Sealing,
    *,
    sandbox: bool,
) -> None:
    from consumers.follow_ups import command_record
    from ledger.wire.json.command_lines import CommandLine, resolve

    if sandbox:
        raise BadInput("a sandbox runs one command at a time; leave out --no-wait")
    refers = (
        line for line in commands.lines() if isinstance(line, CommandLine) and line.references
    )
    if commands.survey.referred and (line := next(refers, None)):
        raise BadInput(
            f"line {line.line_number} refers to the result of an earlier line, "
            "which must be known first; leave out --no-wait"
        )
    given = (
        resolve(line, lambda *_: None) for line in commands.lines() if isinstance(line, CommandLine)
    )
    published = 0
    with _bar("publishing", count) as tell:
        while some := list(islice(given, _PUBLISHED_AT_ONCE)):
            partitions, signer = ledger.partition_count, listener.signing()
            with seal(some) as sealed:
                listener.publish([command_record(each, partitions, signer) for each in sealed])
            published += len(some)
            tell(published)
    typer.echo(f"published {published} commands; 'refundctl query' shows the results")


def _print(found: Iterable[LineOutcome | Passed], count: int, *, as_json: bool) -> dict[str, int]:
    from console.submitting.outcomes import LineOutcome, outcome_to_json, outcome_told, passed_told
    from console.terminal.output import json_line
    from ledger.wire.json.mapping import event_to_json

    tally: dict[str, int] = {}
    with _bar("outcomes", count) as tell:
        for each in found:
            if isinstance(each, LineOutcome):
                tally[each.kind] = tally.get(each.kind, 0) + 1
                typer.echo(json_line(outcome_to_json(each)) if as_json else outcome_told(each))
                tell(sum(tally.values()))
            elif as_json:
                events = [event_to_json(event) for event in each]
                typer.echo(json_line({"outcome": "time_passed", "events": events}))
            else:
                typer.echo(passed_told(each))
    if not as_json:
        typer.echo(", ".join(f"{number} {kind}" for kind, number in sorted(tally.items())))
    return tally


@contextmanager
def _bar(what: str, count: int) -> Iterator[Callable[[int], None]]:
    """A bar of commands on a terminal's stderr, where there are many."""
    from console.terminal.progress_bar import bar

    if count < _BAR_FROM_LINES:
        yield lambda _: None
        return
    with bar(what, "commands") as tell:
        yield lambda done: tell(_Told(done=done, total=count, events=done))


@contextmanager
def _bar_of_bytes(what: str, commands: CommandsInFile) -> Iterator[TellBytes]:
    """A bar of how much of the file is read."""
    from console.terminal.progress_bar import bar

    size = commands.size
    with bar(what, "lines") as tell:
        yield lambda lines, read: tell(_Told(done=read, total=size, events=lines))


class _Told(NamedTuple):
    """How far it has come."""

    done: int
    total: int
    events: int


def _told_if_behind(now: int, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, after a note where the first is before the sandbox's time."""
    from ledger.values.instants import format_instant

    rest = iter(lines)
    first = next(rest)
    if first.at is not None and first.at < now:
        typer.echo(
            f"note: the sandbox is already at {format_instant(now)}; earlier lines are decided "
            "then",
            err=True,
        )
    return chain([first], rest)


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

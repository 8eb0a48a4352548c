"""`refundctl webhooks`: programs elsewhere that are told of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.terminal.errors import BadInput
from console.terminal.help import HeadedCommands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from console.running.settings import Settings
    from consumers.webhooks.keeping import Shown, Wrap

app = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Tell programs elsewhere of events, by signed HTTP requests.",
    rich_markup_mode=None,
)
_MOST_TROUBLES = 50
_HookId = Annotated[str, typer.Argument(metavar="HOOK", help="Its id, as 'list' shows it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL")],
    events: Annotated[
        str, typer.Option("--events", help="Names of events, separated by commas; or all.")
    ],
) -> None:
    """Add a webhook, and print its secret, once.

    It is told of every event that is recorded from now on.

    Examples:

      refundctl webhooks add https://billing.example/refunds --events RefundIssued,RefundSettled

      refundctl webhooks add http://127.0.0.1:9000/ --events all
    """
    from contextlib import closing

    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.running.webhook_networks import webhook_networks
    from consumers.webhooks import keeping
    from consumers.webhooks.signing import secret_text
    from consumers.webhooks.targets import TargetRefused, check_url
    from ledger.log.kafka import KafkaTools
    from ledger.log.seam import Topic

    settings = read_settings()
    names = _events(events)
    try:
        check_url(url, webhook_networks(settings))
    except TargetRefused as error:
        raise BadInput(f"the webhook's URL cannot be used: {error}") from error
    ledger = find_ledger(settings)
    with (
        closing(KafkaTools(ledger.kafka)) as tools,
        connected(ledger.database_url) as connection,
    ):
        try:
            hook_id, secret = keeping.add(
                connection, url, names, lambda: tools.end_offsets(Topic.EVENTS), _wrap(settings)
            )
        except keeping.TooMany as error:
            raise BadInput(str(error)) from error
    typer.echo(f"hook    {hook_id}\nsecret  {secret_text(secret)}")


@app.command(name="list")
def list_all() -> None:
    """List all webhooks.

    Example:

      refundctl webhooks list
    """
    from rich.table import Table

    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console, put
    from consumers.webhooks import keeping

    table = Table("hook", "state", "URL", "events", "sent", "accounts waiting", "dead")
    with connected(find_ledger(read_settings()).database_url) as connection:
        for each in keeping.shown(connection):
            counts = (str(each.sent), str(each.waiting), str(each.dead))
            table.add_row(each.hook_id, each.state, each.url, _told_of(each), *counts)
    put(console(), table)


@app.command()
def show(hook_id: _HookId) -> None:
    """Show a webhook, and the accounts whose next event is not taken.

    Example:

      refundctl webhooks show hook_1f2e3d4c5b6a
    """
    from rich.table import Table

    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console, put
    from consumers.webhooks import keeping
    from ledger.values.instants import format_instant

    with connected(find_ledger(read_settings()).database_url) as connection:
        found = keeping.shown(connection, hook_id)
        if not found:
            raise _unknown(hook_id)
        troubles = keeping.troubles(connection, hook_id, _MOST_TROUBLES)
    for line in _lines(found[0]):
        typer.echo(line)
    if not troubles:
        return
    table = Table("account", "state", "tries", "since", "next try", "answer")
    for each in troubles:
        since = "" if each.failing_since is None else format_instant(each.failing_since)
        due = format_instant(each.due_at) if each.state == "WAITING" else ""
        state = each.state.lower()
        account = each.account_id or "(test)"
        table.add_row(account, state, str(each.failures), since, due, each.said or "")
    put(console(), table)


@app.command()
def end(hook_id: _HookId) -> None:
    """Send a webhook nothing more; what waits for it is deleted.

    Example:

      refundctl webhooks end hook_1f2e3d4c5b6a
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.webhooks import keeping

    with connected(find_ledger(read_settings()).database_url) as connection:
        if not keeping.end(connection, hook_id, "ended by refundctl"):
            raise _unknown(hook_id)
    typer.echo(f"{hook_id} has ended")


@app.command()
def pause(hook_id: _HookId) -> None:
    """Send a webhook nothing until it goes on; what is recorded waits.

    Example:

      refundctl webhooks pause hook_1f2e3d4c5b6a
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.webhooks import keeping

    with connected(find_ledger(read_settings()).database_url) as connection:
        if not keeping.pause(connection, hook_id):
            raise _not_so(connection, hook_id, "it is paused already, or has ended")
    typer.echo(f"{hook_id} is paused")


@app.command()
def resume(hook_id: _HookId) -> None:
    """Go on with a webhook that is paused.

    Example:

      refundctl webhooks resume hook_1f2e3d4c5b6a
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.clock import WallClock
    from consumers.webhooks import keeping

    with connected(find_ledger(read_settings()).database_url) as connection:
        if not keeping.resume(connection, hook_id, WallClock().now()):
            raise _not_so(connection, hook_id, "it is not paused")
    typer.echo(f"{hook_id} goes on")


@app.command()
def test(hook_id: _HookId) -> None:
    """Send a webhook a test delivery, signed and repeated as events are.

    Example:

      refundctl webhooks test hook_1f2e3d4c5b6a
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.clock import WallClock
    from consumers.webhooks import keeping

    with connected(find_ledger(read_settings()).database_url) as connection:
        told = keeping.test(connection, hook_id, WallClock().now())
        if told is None:
            raise _not_so(
                connection, hook_id, "its last test is still to be taken, or it has ended"
            )
    typer.echo(f"{told} is on its way")


@app.command()
def redrive(
    hook_id: _HookId,
    account: Annotated[
        str | None, typer.Option("--account", help="Only this account, also if it is not dead.")
    ] = None,
    skip: Annotated[
        bool,
        typer.Option("--skip", help="Give up the first event of a dead account; needs --account."),
    ] = False,
) -> None:
    """Send again what is dead, in its order, from now on.

    Examples:

      refundctl webhooks redrive hook_1f2e3d4c5b6a

      refundctl webhooks redrive hook_1f2e3d4c5b6a --account acct-1 --skip
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.clock import WallClock
    from consumers.webhooks import keeping

    with connected(find_ledger(read_settings()).database_url) as connection:
        if not keeping.shown(connection, hook_id):
            raise _unknown(hook_id)
        if skip:
            if account is None:
                raise BadInput("--skip gives up an event of one account; name it with --account")
            given_up = keeping.skip(connection, hook_id, account)
            if given_up is None:
                raise BadInput(f"account {account!r} is not dead at {hook_id}; nothing was changed")
            typer.echo(f"{given_up} is given up")
        count = keeping.redrive(connection, hook_id, account, WallClock().now())
    typer.echo(f"{count} account{'' if count == 1 else 's'} sent again from now on")


@app.command()
def rotate(
    hook_id: _HookId,
    keep: Annotated[
        int,
        typer.Option("--keep", min=0, max=720, help="Hours in which the old secret signs too."),
    ] = 24,
) -> None:
    """Make a new secret, and print it once.

    For a time the old one signs too.

    Examples:

      refundctl webhooks rotate hook_1f2e3d4c5b6a

      refundctl webhooks rotate hook_1f2e3d4c5b6a --keep 0
    """
    from datetime import timedelta

    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from consumers.webhooks import keeping
    from consumers.webhooks.signing import secret_text

    settings = read_settings()
    with connected(find_ledger(settings).database_url) as connection:
        made = keeping.rotate(connection, hook_id, timedelta(hours=keep), _wrap(settings))
    if made is None:
        raise _unknown(hook_id)
    typer.echo(f"secret  {secret_text(made[0])}\nthe old one signs until {made[1]:%Y-%m-%d %H:%M}")


def _wrap(settings: Settings) -> Wrap:
    from console.sealing.master_key import master_key
    from console.sealing.webhook_secrets import wrapping

    return wrapping(master_key(settings))


def _events(text: str) -> list[str]:
    from consumers.webhooks.hooks import named

    try:
        return named(text)
    except ValueError as error:
        raise BadInput(f"--events {text!r}: {error}") from error


def _not_so(connection: Connection[Any], hook_id: str, why: str) -> BadInput:
    from consumers.webhooks import keeping

    if not keeping.shown(connection, hook_id):
        return _unknown(hook_id)
    return BadInput(f"{hook_id}: {why}; nothing was changed")


def _unknown(hook_id: str) -> BadInput:
    return BadInput(f"no webhook {hook_id!r}; 'refundctl webhooks list' shows them")


def _told_of(each: Shown) -> str:
    return ", ".join(each.events) or "all"


def _lines(each: Shown) -> Sequence[str]:
    from ledger.values.instants import format_instant

    last = "never" if each.last_sent_at is None else format_instant(each.last_sent_at)
    lines = [
        f"hook      {each.hook_id}, {each.state}",
        f"URL       {each.url}",
        f"events    {_told_of(each)}",
        f"made      {each.made_at:%Y-%m-%d %H:%M}",
        f"sent      {each.sent}, last {last}",
        f"accounts  {each.waiting} waiting, {each.dead} dead",
        f"secret    number {each.secret_number}",
    ]
    if each.previous_until is not None:
        lines.append(
            f"          number {each.secret_number - 1} until {each.previous_until:%F %H:%M}"
        )
    if each.ended_at is not None:
        lines.append(f"ended     {each.ended_at:%Y-%m-%d %H:%M}: {each.ended_why}")
    return lines

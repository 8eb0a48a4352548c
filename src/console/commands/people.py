"""`refundctl people`: who may use the web console, and the tokens of programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput
from console.terminal.help import HeadedCommands

if TYPE_CHECKING:
    from console.web.access.own_things import OwnThings

app = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Say who may use the web console, and make tokens for programs.",
    rich_markup_mode=None,
)
Role = Annotated[
    list[str], typer.Option("--role", help="What they may do: finance, support, auditor, ...")
]

Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", help="Of a buyer: an own account, or with * how several begin."),
]
Vendors = Annotated[
    list[str] | None, typer.Option("--vendor", help="Of a vendor: the id as which it sells.")
]
BuyerId = Annotated[
    str | None, typer.Option("--buyer-id", help="Of a buyer: the id as which it buys, if not NAME.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    role: Role,
    account: Accounts = None,
    vendor: Vendors = None,
    buyer_id: BuyerId = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="A file with the password; without it, it is asked."),
    ] = None,
) -> None:
    """Add a person.

    Example:

      refundctl people add anna --role support --role finance

      refundctl people add shop --role buyer --account acct-1 --account 'eu-*'

      refundctl people add mailcrow --role vendor --vendor mailcrow
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.secret_files import read_secret
    from console.running.settings import read_settings
    from console.web.access import people

    principals = _principals(role)
    own = _own_things(principals, account, vendor, buyer_id)
    if password_file is None:
        password = _asked()
    else:
        password = read_secret("--password-file", password_file).get_secret_value()
    with connected(find_ledger(read_settings()).database_url) as connection:
        try:
            added = people.add(connection, name, password, principals, own)
        except ValueError as error:
            raise BadInput(str(error)) from error
    if not added:
        raise BadInput(
            f"there is a person {name!r} already, or the name was ended ('refundctl people list'); "
            "choose another name"
        )
    typer.echo(f"{name} may sign in as {', '.join(principals)}")


def _asked() -> str:
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            told: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        except getpass.GetPassWarning:
            raise BadInput(
                "there is no terminal to ask for the password; name a file that has it with "
                "--password-file"
            ) from None
    return told


@app.command(name="list")
def list_all() -> None:
    """List everybody.

    Example:

      refundctl people list
    """
    from rich.table import Table

    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console, put
    from console.web.access import people

    table = Table(
        "name", "roles", "own", "signs in by", "since", "wrong passwords", "locked until", "ended"
    )
    with connected(find_ledger(read_settings()).database_url) as connection:
        for each in people.everybody(connection):
            ended = "" if each.ended_at is None else f"{each.ended_at:%Y-%m-%d}"
            locked = "" if each.locked_until is None else f"{each.locked_until:%Y-%m-%d %H:%M}"
            roles, since = ", ".join(each.principals), f"{each.made_at:%Y-%m-%d}"
            own = ", ".join([*each.accounts, *each.vendors])
            by = each.issuer or ("password and code" if each.second_factor else "password")
            by = by if each.principals else ""
            table.add_row(each.name, roles, own, by, since, str(each.failures), locked, ended)
    put(console(), table)


@app.command()
def end(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    may_return: Annotated[
        bool,
        typer.Option("--may-return", help="Only end what is open; the name may sign in again."),
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let a name that was ended sign in again.")
    ] = False,
) -> None:
    """End the sessions and tokens of a name, and refuse it from now on.

    Nobody signs in under it any more: by password, provider, proxy or token. It need not be known
    here.

    Example:

      refundctl people end anna

      refundctl people end billing --may-return

      refundctl people end anna --undo
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.web.access import people

    if undo and may_return:
        raise BadInput("--undo and --may-return: give one of them")
    with connected(find_ledger(read_settings()).database_url) as connection:
        if undo:
            if not people.undo_end(connection, name):
                raise BadInput(f"{name!r} was not ended; nothing was changed")
            typer.echo(f"{name} may sign in again")
            return
        ended = people.end(connection, name, may_return=may_return)
    if may_return and not ended.known:
        raise BadInput(f"nobody is named {name!r}, and no token is; nothing was changed")
    what = "may sign in again" if may_return else "signs in no more, in no way"
    unseen = "" if ended.known else "; the name was not known here"
    typer.echo(f"{name} {what}; ended: sessions {ended.sessions}, tokens {ended.tokens}{unseen}")


@app.command()
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The program's name.")],
    role: Role,
    account: Accounts = None,
    vendor: Vendors = None,
    buyer_id: BuyerId = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="How long it lasts.")] = 90,
) -> None:
    """Make a token for a program. It is printed once.

    Example:

      refundctl people token billing --role gateway --days 30
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.web.access import people

    principals = _principals(role)
    own = _own_things(principals, account, vendor, buyer_id)
    with connected(find_ledger(read_settings()).database_url) as connection:
        if people.has_ended(connection, name):
            raise BadInput(f"{name!r} was ended; first run 'refundctl people end {name} --undo'")
        typer.echo(people.new_token(connection, name, principals, days, own))


@app.command()
def totp(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    off: Annotated[bool, typer.Option("--off", help="No code is needed any more.")] = False,
) -> None:
    """Ask a person for a one-time code as well, when signing in.

    The address for it is printed once.

    Example:

      refundctl people totp anna
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.sealing.master_key import master_key
    from console.web.access import people
    from console.web.access.totp import address_of

    settings = read_settings()
    with connected(find_ledger(settings).database_url) as connection:
        if off:
            if not people.end_second_factor(connection, name):
                raise BadInput(f"{name!r} signs in without a code already")
            typer.echo(f"{name} signs in without a code")
            return
        secret = people.enrol(connection, name, master_key(settings))
    if secret is None:
        raise BadInput(f"nobody who is named {name!r} signs in with a password")
    typer.echo(address_of(name, secret))


def _own_things(
    principals: list[str],
    accounts: list[str] | None,
    vendors: list[str] | None,
    buyer_id: str | None,
) -> OwnThings:
    from console.web.access.own_things import OwnThings, check_own_things

    own = OwnThings(accounts=tuple(accounts or ()), vendors=tuple(vendors or ()), buyer_id=buyer_id)
    check_own_things(principals, own)
    return own


def _principals(roles: list[str]) -> list[str]:
    from ledger.log.access import read_matrix

    matrix = read_matrix()
    known = sorted({each.principal for each in matrix.rights if each.kind == "route"} - {"*"})
    for role in roles:
        if role not in known:
            raise BadInput(f"--role {role}: there is no such role; one of {', '.join(known)}")
    return sorted(set(roles))

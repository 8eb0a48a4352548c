"""`refundctl secrets`: make and replace the keys, certificates and passwords of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.running.file_owners import user_ids
from console.terminal.errors import BadInput, Failed
from console.terminal.help import HeadedCommands

app = typer.Typer(
    no_args_is_help=True,
    help="Make and replace certificates, passwords and the master key.",
    cls=HeadedCommands,
)

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where they are; default: security in REFUNDS_HOME."),
]


@app.command()
def make(
    bootstrap: Annotated[
        str, typer.Option("--bootstrap", help="The brokers' own listener, as HOST:PORT.")
    ],
    hosts: Annotated[
        list[str], typer.Option("--host", help="A name by which clients know a broker; repeat it.")
    ],
    database_hosts: Annotated[
        list[str] | None,
        typer.Option("--database-host", help="A name of a database server with TLS; repeat it."),
    ] = None,
    certificates: Annotated[
        list[str] | None,
        typer.Option("--certificate", help="A principal that also gets a certificate; repeat it."),
    ] = None,
    owners: Annotated[
        list[str] | None,
        typer.Option("--owner", help="NAME=UID: whose the files of that name are; repeat it."),
    ] = None,
    folder: Folder = None,
) -> None:
    """Make an authority, a certificate, and password files.

    The certificate is the brokers'; each principal gets a file with its password.

    What is there stays; only the certificate is new. Nothing else is changed: 'users' makes the
    principals known to the brokers.

    Example:

      refundctl secrets make --folder /run/security --host kafka --bootstrap kafka:9094
    """
    from devstack.certificates import authority, issue
    from devstack.kafka.security import hand_over, prepare
    from devstack.postgres import security as database
    from ledger.log.access import read_matrix

    place, matrix, users = _place(folder), read_matrix(), user_ids(owners)
    place.parent.mkdir(parents=True, exist_ok=True)
    prepare(place, matrix.at_brokers, bootstrap, hosts)
    if database_hosts:
        roles = tuple(role.name for role in matrix.roles.values())
        database.prepare(place, roles, database_hosts)
        database.prepare_first_start(place, roles)
    for name in certificates or ():
        issue(authority(place), place / f"{name}.pem", name)
    if users:
        hand_over(place, users)
    typer.echo(f"certificates and passwords are in {place}")


@app.command()
def users(folder: Folder = None) -> None:
    """Have the brokers know every principal by its password."""
    from devstack.kafka.rotation import add_users
    from devstack.kafka.security import principals_in

    place = _present(folder)
    names = principals_in(place)
    add_users(place, names)
    typer.echo(f"the brokers know {', '.join(names)}")


@app.command()
def password(
    principal: Annotated[str, typer.Argument(help="Whose: gateway, decider, …")],
    folder: Folder = None,
) -> None:
    """Give a principal a new password, beside the old one.

    It is written into its file and to the brokers; the old one stays valid.

    Then restart the processes that use the file, one after the other, and end the old password with
    'drop-old-passwords'.
    """
    from devstack.kafka.rotation import renew_password
    from devstack.kafka.security import client_file

    place = _present(folder)
    renew_password(place, principal)
    typer.echo(
        f"{client_file(place, principal)} has a new password; restart what uses it, then run "
        "'refundctl secrets drop-old-passwords'"
    )


@app.command()
def drop_old_passwords(folder: Folder = None) -> None:
    """Have the brokers forget passwords that are in no file."""
    from devstack.kafka.rotation import drop_old_passwords as drop

    names = drop(_present(folder))
    typer.echo(f"old passwords ended: {', '.join(names) or 'there were none'}")


@app.command()
def rewrap(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Encrypt again, under another master key.

    Keys of accounts, secrets of webhooks, second factors. It says how many of each were wrapped
    anew, how many had been before, and how many are left; if any are, its exit code is 1.

    REFUNDS_MASTER_KEY_FILE names the new one, REFUNDS_OTHER_MASTER_KEY_FILE the one before.

    First restart every program that has a master key with both. What is interrupted is done by the
    next run. Then restart them without the other one, and destroy its file.
    """
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.sealing.master_key import OTHER, SETTING, master_key
    from console.sealing.rewrapping import rewrap as rewrap_all
    from console.terminal.output import json_line

    settings = read_settings()
    master = master_key(settings)
    if master is None or settings.other_master_key_file is None:
        raise BadInput(f"set {SETTING} to the new master key, and {OTHER} to the one before")
    with connected(find_ledger(settings).database_url) as connection:
        found = list(rewrap_all(connection, master))
    if as_json:
        told = {e.name: {"wrapped": e.done, "before": e.before, "left": e.left} for e in found}
        typer.echo(json_line(told))
    else:
        for each in found:
            counts = f"{each.done} wrapped anew, {each.before} before, {each.left} left"
            typer.echo(f"{each.name.replace('_', ' ')}: {counts}")
    if left := sum(each.left for each in found):
        name, place = next((each.name, each.first_left) for each in found if each.left)
        raise Failed(
            f"{left} are left, such as {name} {place}: restart every program with the new master "
            f"key in {SETTING}, and run this again; what is left then is under neither key: name "
            f"in {OTHER} the one under which it was made"
        )
    if not as_json:
        typer.echo(f"restart all programs without {OTHER}, then destroy its file")


@app.command()
def certificate(folder: Folder = None) -> None:
    """Give the brokers a new key and certificate.

    Clients stay connected.
    """
    from devstack.kafka.rotation import renew_certificate

    nodes = renew_certificate(_present(folder))
    typer.echo(f"new certificate for broker {', '.join(map(str, nodes))}")


def _place(folder: Path | None) -> Path:
    from console.running.settings import read_settings
    from devstack.status import Layout

    if folder is None:
        return Layout(home=read_settings().home_folder).security
    return folder.expanduser().resolve()


def _present(folder: Path | None) -> Path:
    place = _place(folder)
    if not (place / "ca.pem").exists():
        raise BadInput(
            f"{place} has no certificates; name the folder of a secured cluster with --folder, or "
            "start one with 'refundctl up --secure'"
        )
    return place

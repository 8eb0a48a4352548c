"""`refundctl origins add`, `allow`, `rotate`, `revoke` and `mode`: new lines in the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.running.file_owners import user_ids
from console.terminal.errors import BadInput
from ledger.origins.table import Algorithm, Mode
from ledger.values.instants import HOUR, Instant, parse_instant
from ledger.vocabulary.shapes import Role

if TYPE_CHECKING:
    from console.running.origins.changes import Rights
    from console.running.origins.origin_folder import OriginFolder

Name = Annotated[str, typer.Argument(metavar="ORIGIN", help="For example billing.")]
Roles = Annotated[
    list[Role] | None, typer.Option("--role", help="A role that it may name; repeat for more.")
]
Commands = Annotated[
    list[str] | None, typer.Option("--command", help="A command that it may give (default: all).")
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", help="An account, or a beginning and * (default: all)."),
]
KeyId = Annotated[
    str | None, typer.Option("--key", help="The key's id (default: k1, k2 and so on).")
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="INSTANT", help="Valid from then on (default: from now on)."),
]
PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", help="The public key of an ed25519 key that is kept elsewhere."),
]


def add(
    origin: Name,
    role: Roles = None,
    command: Commands = None,
    account: Accounts = None,
    algorithm: Annotated[
        Algorithm, typer.Option("--algorithm", help="hmac-sha256, or ed25519.")
    ] = Algorithm.HMAC_SHA256,
    public_key: PublicKey = None,
    key: KeyId = None,
    since: From = None,
) -> None:
    """Add an origin with its first key.

    The key's file is written into the folder of the table, for nobody else to read; its path is
    printed, never its content. With --public-key the private key stays where it is. The first
    origin that is added brings the ledger's own with it.

    Examples:

      refundctl origins add billing --role BILLING

      refundctl origins add partner --role VENDOR --account 'eu-*' --public-key partner.pem
    """
    from console.running.origins.changes import NewKey, add_origin

    rights = _rights(role, command, account)
    found = NewKey(algorithm=algorithm, public_key=public_key, key_id=key, since=_instant(since))
    for line in add_origin(_folder(), origin, rights, found):
        typer.echo(line)


def start(
    algorithm: Annotated[
        Algorithm, typer.Option("--algorithm", help="hmac-sha256, or ed25519.")
    ] = Algorithm.ED25519,
    owners: Annotated[
        list[str] | None,
        typer.Option("--owner", help="NAME=UID: whose the keys of that origin are; repeat it."),
    ] = None,
) -> None:
    """Make a table that requires signatures.

    It has the ledger's own origin, upstream billing (gateway) and a person with refundctl
    (operator), which may give every command. If there is a table, nothing is changed.

    Examples:

      refundctl origins start --owner ledger=10002 --owner operator=10004
    """
    from console.running.origins.changes import hand_over, start_required

    folder, users = _folder(), user_ids(owners)
    for line in start_required(folder, algorithm):
        typer.echo(line)
    hand_over(folder, users)


def allow(
    origin: Name, role: Roles = None, command: Commands = None, account: Accounts = None
) -> None:
    """Say anew what an origin may do; its keys stay.

    Examples:

      refundctl origins allow partner --role VENDOR --account 'eu-*' --account us-1
    """
    from console.running.origins.changes import set_rights

    for line in set_rights(_folder(), origin, _rights(role, command, account)):
        typer.echo(line)


def rotate(
    origin: Name,
    overlap_hours: Annotated[
        float,
        typer.Option("--overlap-hours", min=0, help="So long the key before stays valid."),
    ] = 24.0,
    public_key: PublicKey = None,
    key: KeyId = None,
    since: From = None,
) -> None:
    """Add a key, and let the one before it end some hours later.

    Both are valid meanwhile, so that nothing needs to stop. Where deciders have copies of the
    table, let the new key be valid only when all have it: --from.

    Examples:

      refundctl origins rotate billing

      refundctl origins rotate ledger --from 2026-12-01T00:00:00Z --overlap-hours 1
    """
    from console.running.origins.changes import NewKey, add_key

    found = NewKey(algorithm=None, public_key=public_key, key_id=key, since=_instant(since))
    for line in add_key(_folder(), origin, found, overlap=round(overlap_hours * HOUR)):
        typer.echo(line)


def revoke(
    origin: Name,
    key: Annotated[
        str | None, typer.Option("--key", help="Only this key (default: all of them).")
    ] = None,
) -> None:
    """End keys now: what they sign from now on is a dead letter.

    What was decided stays, and verifies for ever.

    Examples:

      refundctl origins revoke partner

      refundctl origins revoke billing --key k1
    """
    from console.running.origins.changes import end_keys

    for line in end_keys(_folder(), origin, key):
        typer.echo(line)


def mode(
    wanted: Annotated[Mode, typer.Argument(metavar="MODE", help="open, warn or required.")],
) -> None:
    """Say what happens to commands whose origin is not proven.

    open: nothing is asked. warn: they are decided, and the decider's log counts them. required:
    they become dead letters.

    Examples:

      refundctl origins mode warn
    """
    from console.running.origins.changes import set_mode

    for line in set_mode(_folder(), wanted):
        typer.echo(line)


def _folder() -> OriginFolder:
    from console.running.origins.origin_folder import OriginFolder
    from console.running.settings import read_settings

    return OriginFolder(read_settings().origins_folder)


def _rights(
    roles: list[Role] | None, commands: list[str] | None, accounts: list[str] | None
) -> Rights:
    from console.running.origins.changes import Rights

    if not roles:
        raise BadInput("no role is given; say with --role what the origin may act as")
    return Rights(
        roles=tuple(roles), commands=tuple(commands or ["*"]), accounts=tuple(accounts or ["*"])
    )


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise BadInput(f"--from: {error}; for example 2026-12-01T00:00:00Z") from error

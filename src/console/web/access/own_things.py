"""What a vendor or a buyer may see and act on: what is their own, and nothing else."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection

from console.terminal.errors import BadInput
from console.web.problems import Problem
from ledger.vocabulary.commands import ROLES, Command
from ledger.vocabulary.shapes import Actor, Role
from projector.asking.queries import see_that_it_is_within
from projector.asking.within import Within

BUYER, VENDOR = "buyer", "vendor"
_SOLD = """
SELECT vendor_id FROM finance.marketplace_requests
WHERE account_id = %s AND purchase_id = %s AND vendor_id = ANY(%s) LIMIT 1
"""
_FIRST = """
SELECT actor_role = 'VENDOR' AND actor_id = ANY(%s) FROM finance.events
WHERE account_id = %s AND command_id = %s ORDER BY log_sequence LIMIT 1
"""
"""Whoever gives somebody else's id again is refused under that id too."""


class OwnThings(Struct, frozen=True, kw_only=True):
    """The accounts of a buyer, and the ids as which somebody buys and sells.

    An account with a * behind is all whose ids begin so. Without `buyer_id` a buyer's id is the
    name that the person signs in with.
    """

    accounts: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    buyer_id: str | None = None

    @property
    def within(self) -> Within:
        """The same for a query."""
        return Within(accounts=self.accounts, vendors=self.vendors)


def check_own_things(principals: list[str], own: OwnThings) -> None:
    """BadInput for a buyer without an account, a vendor without an id, and what nobody needs."""
    needed = ((BUYER, "--account", own.accounts), (VENDOR, "--vendor", own.vendors))
    for principal, option, given in needed:
        if principal in principals and not given:
            raise BadInput(f"--role {principal} takes {option}: what is their own?")
        if given and principal not in principals:
            raise BadInput(f"{option} is for --role {principal} alone; leave it out")
    if own.buyer_id is not None and BUYER not in principals:
        raise BadInput("--buyer-id is for --role buyer alone; leave it out")


def own_part(own: OwnThings, principals: frozenset[str]) -> OwnThings:
    """What counts where these principals alone may act."""
    return OwnThings(
        accounts=own.accounts if BUYER in principals else (),
        vendors=own.vendors if VENDOR in principals else (),
        buyer_id=own.buyer_id,
    )


def own_actor(
    connection: Connection[Any], own: OwnThings, name: str, account_id: str, body: Command
) -> Actor:
    """As whom a buyer or a vendor gives a command; 404 for what is not theirs."""
    roles = ROLES[type(body)]
    if Role.BUYER in roles and own.within.has(account_id):
        return Actor(id=own.buyer_id or name, role=Role.BUYER)
    purchase_id = getattr(body, "purchase_id", None)
    if Role.VENDOR in roles and own.vendors:
        wanted = (account_id, purchase_id, list(own.vendors))
        if found := connection.execute(_SOLD, wanted).fetchone():
            return Actor(id=found[0], role=Role.VENDOR)
    raise Problem(404, "Not found", f"nothing of account {account_id} can be acted on so by {name}")


def within_of(own: OwnThings | None) -> Within | None:
    """What a query is cut to; None: all that the route shows."""
    return None if own is None else own.within


def see_account(own: OwnThings | None, account_id: str) -> None:
    """404 for the account of somebody else, as for one that there is not."""
    see_that_it_is_within(within_of(own), account_id)


def see_own_command(
    connection: Connection[Any], own: OwnThings | None, account_id: str, command_id: str
) -> None:
    """404 for the command of another account, unless one of the own vendors gave it first."""
    if not is_own_command(connection, own, account_id, command_id):
        raise Problem(404, "Not found", f"nothing is known of command {command_id}")


def is_own_command(
    connection: Connection[Any], own: OwnThings | None, account_id: str, command_id: str
) -> bool:
    """Whether what came of a command may be seen."""
    if own is None or own.within.has(account_id):
        return True
    wanted = (list(own.vendors), account_id, command_id)
    return connection.execute(_FIRST, wanted).fetchone() == (True,)

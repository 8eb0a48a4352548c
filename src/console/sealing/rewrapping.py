"""Wraps all that is under a master key again, under another one, while everything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, LiteralString

from msgspec import Struct
from psycopg import Connection

from console.sealing.master_key import (
    MasterKey,
    bound_to_account,
    bound_to_hook,
    bound_to_person,
)

_AT_ONCE = 500


class Kept(Struct, frozen=True, kw_only=True):
    """A kind of secrets. Each has a place, an owner's id and a number, to which it is bound."""

    name: str
    next_ones: LiteralString
    put: LiteralString
    bound: Callable[[str, int], bytes]


KEPT = (
    Kept(
        name="account_keys",
        next_ones="SELECT account_id, number, wrapped FROM secrets.account_keys"
        " WHERE (account_id, number) > (%s, %s) AND wrapped IS NOT NULL"
        " ORDER BY account_id, number LIMIT %s",
        put="UPDATE secrets.account_keys SET wrapped = %s"
        " WHERE account_id = %s AND number = %s AND wrapped = %s",
        bound=bound_to_account,
    ),
    Kept(
        name="webhook_secrets",
        next_ones="SELECT hook_id, number, secret FROM webhooks.wrapped_secrets"
        " WHERE (hook_id, number) > (%s, %s) ORDER BY hook_id, number LIMIT %s",
        put="UPDATE webhooks.wrapped_secrets SET secret = %s"
        " WHERE hook_id = %s AND number = %s AND secret = %s",
        bound=bound_to_hook,
    ),
    Kept(
        name="second_factors",
        next_ones="SELECT name, 0, totp_secret FROM web.people"
        " WHERE (name, 0) > (%s, %s) AND totp_wrapped AND totp_secret IS NOT NULL"
        " ORDER BY name LIMIT %s",
        put="UPDATE web.people SET totp_secret = %s"
        " WHERE name = %s AND %s = 0 AND totp_wrapped AND totp_secret = %s",
        bound=lambda name, _: bound_to_person(name),
    ),
)


class Rewrapped(Struct, frozen=True, kw_only=True):
    """Of a kind: how many were wrapped anew, how many were under the master key before, and how
    many are not under it now, with the place of the first of these.
    """

    name: str
    done: int
    before: int
    left: int
    first_left: str


def rewrap(connection: Connection[Any], master: MasterKey) -> Iterator[Rewrapped]:
    """Have every secret under the master key, and none under the other one; a kind at a time.

    1. The next ones are read, in order. 2. Each that is under the other master key is wrapped
    again, in a statement of its own. A crash in between leaves every one under one of both, and
    the next run does the rest. One that is changed or destroyed meanwhile is not brought back: the
    statement finds only the bytes that were read. 3. All are read again, and those are counted that
    are under neither, or that a program without the new master key has made meanwhile.
    """
    for kept in KEPT:
        done = before = 0
        for owner, number, wrapped in _each(connection, kept):
            bound = kept.bound(owner, number)
            if master.is_own(bound, wrapped):
                before += 1
            elif (again := master.rewrapped(bound, wrapped)) is not None:
                done += connection.execute(kept.put, (again, owner, number, wrapped)).rowcount
        left, first = 0, ""
        for owner, number, wrapped in _each(connection, kept):
            if not master.is_own(kept.bound(owner, number), wrapped):
                left, first = left + 1, first or f"{owner} {number}".removesuffix(" 0")
        yield Rewrapped(name=kept.name, done=done, before=before, left=left, first_left=first)


def _each(connection: Connection[Any], kept: Kept) -> Iterator[tuple[str, int, bytes]]:
    owner, number = "", -1
    while rows := connection.execute(kept.next_ones, (owner, number, _AT_ONCE)).fetchall():
        for owner, number, wrapped in rows:
            yield owner, number, bytes(wrapped)

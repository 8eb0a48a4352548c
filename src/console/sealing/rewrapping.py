"""Wraps the keys of all accounts again, under another master key, while everything runs."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection

from console.sealing.master_key import MasterKey

_AT_ONCE = 500
_NEXT = """
SELECT account_id, number, wrapped FROM secrets.account_keys
WHERE (account_id, number) > (%s, %s) AND wrapped IS NOT NULL
ORDER BY account_id, number LIMIT %s
"""
_REWRAP = """
UPDATE secrets.account_keys SET wrapped = %s
WHERE account_id = %s AND number = %s AND wrapped = %s
"""


class Rewrapped(Struct, frozen=True, kw_only=True):
    """How many keys were wrapped again, and how many were under the master key already."""

    done: int
    before: int


def rewrap(connection: Connection[Any], master: MasterKey) -> Rewrapped:
    """Have every key under the master key, and none under the other one.

    1. The next keys are read, in order. 2. Each that is under the other master key is wrapped
    again, in a statement of its own. A crash in between leaves every key under one of both, and
    the next run does the rest. A key that is destroyed meanwhile is not brought back: the statement
    finds only the bytes that were read. Keys that are made meanwhile are under a master key of
    their maker, so this is run when all programs have the new one. Raises Failed for a key that is
    under neither.
    """
    done = before = 0
    account, number = "", 0
    # 1
    while rows := connection.execute(_NEXT, (account, number, _AT_ONCE)).fetchall():
        for account, number, found in rows:
            wrapped = bytes(found)
            if master.is_own(account, number, wrapped):
                before += 1
                continue
            # 2
            again = master.wrapped(account, master.unwrapped(account, number, wrapped))
            changed = connection.execute(_REWRAP, (again, account, number, wrapped))
            done += changed.rowcount
    return Rewrapped(done=done, before=before)

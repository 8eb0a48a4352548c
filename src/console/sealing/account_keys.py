"""The keys of accounts in the database: made when first needed, read, and said to be destroyed."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, errors

from console.sealing.master_key import MasterKey
from ledger.vocabulary.sealing import AccountKey

_NEWEST = """
SELECT number, wrapped FROM secrets.account_keys WHERE account_id = %s ORDER BY number DESC LIMIT 1
"""
_ONE = "SELECT wrapped FROM secrets.account_keys WHERE account_id = %s AND number = %s"
_MAKE = """
INSERT INTO secrets.account_keys (account_id, number, wrapped) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""


class Erased(LookupError):
    """The key was destroyed: what it sealed is erased."""


class AccountKeys:
    """The keys on a connection, under a master key."""

    def __init__(self, connection: Connection[Any], master: MasterKey) -> None:
        self._connection = connection
        self._master = master

    def newest(self, account_id: str) -> AccountKey:
        """The key to seal with. Where there is none, or the newest is destroyed, the next is made;
        of several programs that make it at once, one wins, and all use that one.
        """
        row = self._connection.execute(_NEWEST, (account_id,)).fetchone()
        if row is None or row[1] is None:
            self._make(account_id, 1 if row is None else row[0] + 1)
            row = self._connection.execute(_NEWEST, (account_id,)).fetchone()
            assert row is not None
        number, wrapped = row
        if wrapped is None:  # destroyed between the two statements
            return self.newest(account_id)
        return self._master.unwrapped(account_id, number, bytes(wrapped))

    def begin_next(self, account_id: str) -> int:
        """Make the key after the newest; the newest one's number, or 0 where there is none."""
        row = self._connection.execute(_NEWEST, (account_id,)).fetchone()
        if row is None:
            return 0
        self._make(account_id, row[0] + 1)
        return int(row[0])

    def _make(self, account_id: str, number: int) -> None:
        wrapped = self._master.new_key(account_id, number)
        self._connection.execute(_MAKE, (account_id, number, wrapped))

    def one(self, account_id: str, number: int) -> AccountKey | None:
        """A key by its number; None if there never was one. Raises Erased."""
        row = self._connection.execute(_ONE, (account_id, number)).fetchone()
        if row is None:
            return None
        if row[0] is None:
            raise Erased(account_id)
        return self._master.unwrapped(account_id, number, bytes(row[0]))


def destroyed(connection: Connection[Any], account_id: str, number: int) -> bool:
    """Whether that key is destroyed, for those who have no master key; False where this role may
    not look, or the database has no keys yet.
    """
    try:
        row = connection.execute(_ONE, (account_id, number)).fetchone()
    except (errors.InsufficientPrivilege, errors.UndefinedTable, errors.InvalidSchemaName):
        return False
    return row is not None and row[0] is None

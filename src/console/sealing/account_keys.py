"""The keys of accounts in the database: made when first needed, read, and said to be destroyed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, errors

from console.sealing.master_key import MasterKey
from console.terminal.errors import Failed
from ledger.vocabulary.sealing import AccountKey

_NEWEST = """
SELECT number, wrapped FROM secrets.account_keys WHERE account_id = %s ORDER BY number DESC LIMIT 1
"""
_LIVE = """
SELECT number FROM secrets.account_keys
WHERE account_id = %s AND destroyed_at IS NULL ORDER BY number
"""
_ONE = "SELECT wrapped FROM secrets.account_keys WHERE account_id = %s AND number = %s"
_MAKE = """
INSERT INTO secrets.account_keys (account_id, number, wrapped) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_ERASED_UP_TO = """
SELECT coalesce(max((body ->> 'key_number')::integer), 0) FROM read_models.outcomes
WHERE account_id = %s AND event_name = 'SubjectErased'
"""
_LOCK = "SELECT pg_advisory_lock{}(hashtextextended('texts of ' || %s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock{}(hashtextextended('texts of ' || %s, 0))"


class Erased(LookupError):
    """The key was destroyed: what it sealed is erased."""


class AccountKeys:
    """The keys on a connection, under a master key."""

    def __init__(self, connection: Connection[Any], master: MasterKey) -> None:
        self._connection = connection
        self._master = master

    @contextmanager
    def held(self, sealing: Collection[str], erasing: Collection[str]) -> Iterator[None]:
        """Until the end, nobody erases the accounts whose texts are sealed here, and nobody seals
        a text of those that are erased here. So of a text and an erasure, the one that had the
        account first is also first in the log.

        The accounts are locked in the order of their ids, so that no two programs wait for each
        other. The locks end with the connection, if this process does.
        """
        wanted = {**dict.fromkeys(sealing, "_shared"), **dict.fromkeys(erasing, "")}
        taken: list[str] = []
        try:
            for account_id in sorted(wanted):
                self._lock(account_id, wanted[account_id])
                taken.append(account_id)
            yield
        finally:
            for account_id in taken:
                if not self._connection.closed:
                    self._connection.execute(_UNLOCK.format(wanted[account_id]), (account_id,))

    def newest(self, account_id: str) -> AccountKey:
        """The key to seal with. Where there is none, or the newest is destroyed, the next is made;
        of several programs that make it at once, one wins, and all use that one.
        """
        row = self._connection.execute(_NEWEST, (account_id,)).fetchone()
        if row is None or row[1] is None:
            self._make(account_id, 1 + max(0 if row is None else row[0], self._erased(account_id)))
            row = self._connection.execute(_NEWEST, (account_id,)).fetchone()
            assert row is not None
        number, wrapped = row
        if wrapped is None:  # destroyed between the two statements
            return self.newest(account_id)
        return self._master.unwrapped(account_id, number, bytes(wrapped))

    def live(self, account_id: str) -> tuple[int, ...]:
        """The numbers of the keys that are not destroyed, in order."""
        rows = self._connection.execute(_LIVE, (account_id,)).fetchall()
        return tuple(row[0] for row in rows)

    def begin_after(self, account_id: str, number: int) -> bool:
        """See that there is a key after this one; False if there is no key of this number."""
        row = self._connection.execute(_ONE, (account_id, number)).fetchone()
        if row is not None:
            self._make(account_id, number + 1)
        return row is not None

    def _make(self, account_id: str, number: int) -> None:
        wrapped = self._master.new_key(account_id, number)
        self._connection.execute(_MAKE, (account_id, number, wrapped))

    def _erased(self, account_id: str) -> int:
        """As far as the events say it, should the keys come from an older backup."""
        row = self._connection.execute(_ERASED_UP_TO, (account_id,)).fetchone()
        assert row is not None
        return int(row[0])

    def _lock(self, account_id: str, shared: str) -> None:
        try:
            self._connection.execute(_LOCK.format(shared), (account_id,))
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise Failed(
                f"texts of {account_id} are being given or erased by another program; do it again"
            ) from error

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

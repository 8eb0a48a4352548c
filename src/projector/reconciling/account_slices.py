"""Divides the accounts of a long log into slices, so that one at a time fits into memory."""

from __future__ import annotations

from hashlib import md5

from msgspec import Struct
from psycopg import sql

SLICE_EVENTS = 20_000
"""So many events' rows are held in memory at once, about: some 100 MB."""


class Slices(Struct, frozen=True, kw_only=True):
    """The slices 0 to `count` - 1; the MD5 of an account's id selects its slice."""

    count: int

    def number_of(self, account_id: bytes) -> int:
        """The slice of an account; U+0000 is replaced as in the database."""
        shown = account_id.replace(b"\0", "\u2400".encode())
        return int(md5(shown, usedforsecurity=False).hexdigest()[:8], 16) % self.count

    @property
    def number_of_row(self) -> sql.Composable:
        """The same in SQL, for a row with an `account_id`."""
        return sql.SQL("(('x' || left(md5(account_id), 8))::bit(32)::bigint % {})").format(
            self.count
        )

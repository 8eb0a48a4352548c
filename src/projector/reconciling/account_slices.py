"""Deals the accounts of a long log into slices, so that one at a time fits into memory."""

from __future__ import annotations

from hashlib import md5

from msgspec import Struct
from psycopg import sql

from ledger.log.seam import LogRecord

SLICE_EVENTS = 100_000
"""So many events' rows are held in memory at once, about: some 300 MB."""


class Slice(Struct, frozen=True, kw_only=True):
    """One of `count` slices; an account is in that which its id's MD5 says, here as in SQL."""

    number: int
    count: int

    def takes(self, record: LogRecord) -> bool:
        """Is the record of one of this slice's accounts? Its key says so, without decoding it."""
        return self.count == 1 or self.of_account(record.key or b"") == self.number

    def of_account(self, account_id: bytes) -> int:
        """The number of the slice an account is in; U+0000 as the database shows it."""
        shown = account_id.replace(b"\0", "\u2400".encode())
        return int(md5(shown, usedforsecurity=False).hexdigest()[:8], 16) % self.count

    @property
    def condition(self) -> sql.Composable:
        """The same as a condition on a row."""
        if self.count == 1:
            return sql.SQL("true")
        return sql.SQL("('x' || left(md5(account_id), 8))::bit(32)::bigint % {} = {}").format(
            self.count, self.number
        )

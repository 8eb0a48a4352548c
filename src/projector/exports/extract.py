"""Takes the rows of a finance view out of one snapshot of the database, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec
import psycopg
from msgspec import Struct
from psycopg import Connection, IsolationLevel

from ledger.values.instants import Instant, format_instant
from projector.exports.cells import Cell, cell
from projector.exports.columns import Column, columns_of
from projector.exports.period import Period, position, selection

_FETCHED_ROWS = 2_000


class Request(Struct, frozen=True, kw_only=True):
    """The request: `since` is the period's first instant, `until` the first one after it."""

    view: str
    account: str | None = None
    since: Instant | None = None
    until: Instant | None = None

    @property
    def period(self) -> Period:
        """The period."""
        return Period(since=self.since, until=self.until)


class Extract(Struct, frozen=True, kw_only=True):
    """The rows of a request, in a temporary file that is deleted with the last reference to it.

    `log_position` is how many events of each partition they come from; `digest` is the SHA-256 of
    the columns' names and of every row, the same for every format.
    """

    request: Request
    columns: tuple[Column, ...]
    log_position: dict[int, int]
    rows: int
    digest: str
    spool: IO[bytes]

    def __iter__(self) -> Iterator[list[Cell]]:
        self.spool.seek(0)
        for line in self.spool:
            yield msgspec.json.decode(line)

    @property
    def about(self) -> dict[str, Any]:
        """The metadata of the extract."""
        asked = self.request
        return {
            "view": asked.view,
            "account": asked.account,
            "from": None if asked.since is None else format_instant(asked.since),
            "to": None if asked.until is None else format_instant(asked.until),
            "rows": self.rows,
            "log_position": {str(p): events for p, events in self.log_position.items()},
            "rows_sha256": self.digest,
        }


def extract(conninfo: str, request: Request) -> Extract:
    """Read the rows, in a separate read-only transaction.

    Raises UnknownView, UnknownAccount and BadPeriod.
    """
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return extract_in(connection, request)


def extract_in(connection: Connection[Any], request: Request) -> Extract:
    """The same within the caller's transaction."""
    columns = columns_of(connection, request.view)
    chosen = selection(connection, request.view, columns, request.account, request.period)
    spool, digest, rows = TemporaryFile(), sha256(), 0  # noqa: SIM115  # it outlives the function
    digest.update(msgspec.json.encode([column.name for column in columns]))
    with connection.cursor(name="extract") as cursor:
        cursor.itersize = _FETCHED_ROWS
        for row in cursor.execute(chosen):
            line = msgspec.json.encode([cell(value) for value in row]) + b"\n"
            digest.update(line)
            spool.write(line)
            rows += 1
    return Extract(
        request=request,
        columns=columns,
        log_position=position(connection, request.view, request.period),
        rows=rows,
        digest=digest.hexdigest(),
        spool=spool,
    )

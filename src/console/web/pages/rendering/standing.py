"""At which place of the log a page stands, and how far that is behind."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Query, Request
from msgspec import Struct
from psycopg import Connection, errors

from console.web.api.queries import Asked
from console.web.backend import Backend
from ledger.values.instants import SECOND, Instant, format_instant, from_datetime
from projector.asking.outcomes import outcomes

STALE_SECONDS = 15
_PATIENCE_SECONDS, _POLL_SECONDS = 3.0, 0.05
_ASKED = """
SELECT c.partition, c.next_offset, r.reached_until, finance.now(),
       EXISTS (SELECT FROM finance.sandbox_clock)
FROM consumers.checkpoints c LEFT JOIN finance.reached r USING (partition)
WHERE c.consumer = 'projector' ORDER BY c.partition
"""


class Standing(Struct, frozen=True, kw_only=True):
    """Where the read models stood before the rows of a page were read, which are no older.

    `places`: partition → the offset of the first event that is not shown. `reached`: everything
    before this instant is shown; None while nobody knows. `present` stands still in a sandbox.
    """

    places: dict[int, int]
    reached: Instant | None
    present: Instant
    sandbox: bool

    @property
    def reached_at(self) -> str | None:
        """The instant up to which everything is shown, in whole seconds."""
        return None if self.reached is None else format_instant(self.reached // SECOND * SECOND)

    @property
    def present_at(self) -> str:
        """The present, in whole seconds."""
        return format_instant(self.present // SECOND * SECOND)

    @property
    def behind_seconds(self) -> int | None:
        """From the instant reached to the present."""
        return None if self.reached is None else max(0, (self.present - self.reached) // SECOND)

    @property
    def stale(self) -> bool:
        """Whether the read models are silent, or too far behind to be called the present."""
        return self.behind_seconds is None or self.behind_seconds > STALE_SECONDS

    @property
    def text(self) -> str:
        """The places as one text, and whether they are stale: what makes a page move."""
        places = " ".join(f"{partition}:{offset}" for partition, offset in self.places.items())
        return f"{places} stale" if self.stale else places


def standing(connection: Connection[Any]) -> Standing | None:
    """Where the read models stand now; None if there are none."""
    try:
        rows = connection.execute(_ASKED).fetchall()
    except (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName):
        return None
    if not rows:
        return None
    _, _, reached, present, sandbox = rows[0]
    return Standing(
        places={row[0]: row[1] for row in rows},
        reached=None if reached is None else from_datetime(reached),
        present=from_datetime(present),
        sandbox=sandbox,
    )


def stand(
    request: Request,
    backend: Asked,
    after: Annotated[str, Query()] = "",
    account: Annotated[str, Query()] = "",
) -> None:
    """Before a page reads its rows: remember where they stand.

    `after` is the id of the account's command that the page is to show: it is waited for, and if it
    is not there in time the page says so.
    """
    account_id = request.path_params.get("account_id", account)
    missing = bool(after and account_id) and not _shown(backend, account_id, after)
    request.state.waits_for = after if missing else None
    with backend.connection() as connection:
        request.state.standing = standing(connection)


def _shown(backend: Backend, account_id: str, command_id: str) -> bool:
    """Wait until the read models have the outcome of a command, for some seconds at most."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with backend.connection() as connection:
            if outcomes(connection, {(account_id, command_id)}):
                return True
        if time.monotonic() > give_up:
            return False
        time.sleep(_POLL_SECONDS)

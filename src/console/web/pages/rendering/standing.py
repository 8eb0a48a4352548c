"""At which place of the log a page stands, and how far that is behind."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from msgspec import Struct
from psycopg import Connection, errors

from console.web.api.queries import Asked
from ledger.values.instants import SECOND, format_instant

STALE_SECONDS = 15
_ASKED = """
SELECT c.partition, c.next_offset, h.reached_at, finance.micros(finance.now())
FROM consumers.checkpoints c LEFT JOIN consumers.horizons h USING (consumer)
WHERE c.consumer = 'projector' ORDER BY c.partition
"""


class Standing(Struct, frozen=True, kw_only=True):
    """Where the read models stood before the rows of a page were read, which are no older.

    `places`: partition → the offset of the first event that is not shown. `reached_at`: everything
    before this instant is shown; None while nobody knows. `behind_seconds`: from it to the present.
    """

    places: dict[int, int]
    reached_at: str | None
    behind_seconds: int | None

    @property
    def stale(self) -> bool:
        """Whether the read models are silent, or too far behind to be called the present."""
        return self.behind_seconds is None or self.behind_seconds > STALE_SECONDS

    @property
    def text(self) -> str:
        """The places as one text."""
        return " ".join(f"{partition}:{offset}" for partition, offset in self.places.items())


def standing(connection: Connection[Any]) -> Standing | None:
    """Where the read models stand now; None if there are none."""
    try:
        rows = connection.execute(_ASKED).fetchall()
    except (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName):
        return None
    if not rows:
        return None
    reached, now = rows[0][2], rows[0][3]
    return Standing(
        places={partition: offset for partition, offset, _, _ in rows},
        reached_at=None if reached is None else format_instant(reached // SECOND * SECOND),
        behind_seconds=None if reached is None else max(0, (now - reached) // SECOND),
    )


def stand(request: Request, backend: Asked) -> None:
    """Before a page reads its rows: remember where they stand."""
    with backend.connection() as connection:
        request.state.standing = standing(connection)

"""At which place of the log a page stands, and how far that is behind."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import Connection, errors

from ledger.values.instants import SECOND, Instant, format_instant, from_datetime

STALE_SECONDS = 15
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

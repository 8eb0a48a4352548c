"""What a closing finds: where the log stood, the trial balance, the exports' digests."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
from psycopg import Connection, IsolationLevel

from console.web.backend import Backend
from console.web.closing.month import Month
from console.web.log_records import LogRecords
from console.web.problems import Problem
from ledger.values.instants import format_instant
from ledger.vocabulary.envelope import ZERO_HASH
from ledger.wire.avro.codec import body_hash, decode_event
from projector.asking.queries import Moment, as_records, ask
from projector.exports.extract import Request, extract_in
from projector.exports.period import Period, position, see_that_it_is_complete
from projector.questions import QUESTIONS

MOVED = ("journal", "postings", "statement")
"""The views whose rows of the month are exported."""
STOOD = ("balances",)
"""The views that are exported as they stood at its end."""
Tell = Callable[[str, int], None]
"""The step that begins, and the share that is done, in percent."""
Json = dict[str, Any]


def period_of(month: Month) -> Period:
    """The month as a period of exports."""
    return Period(since=month.begins, until=month.ends)


def see_that_it_can_be_closed(connection: Connection[Any], month: Month) -> None:
    """Raises BadPeriod where the month could still get events."""
    see_that_it_is_complete(connection, period_of(month))


def protocol(backend: Backend, conninfo: str, month: Month, tell: Tell) -> Json:
    """Checkpoint, trial balance and exports of a closed month, all from one snapshot.

    `digest` is over all of it: closed again, a month has the same one. 1. The number of events of
    each partition at the end of the month, and the hash of the last of them, from the log. 2. The
    trial balance at its end. 3. The digest of the rows of each export.
    """
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        see_that_it_can_be_closed(connection, month)
        # 1
        tell("CHECKPOINT", 0)
        places = position(connection, "events", period_of(month))
        checkpoint = [_place(backend.records, *each) for each in places.items()]
        # 2
        tell("TRIAL_BALANCE", 10)
        at = Moment(as_of=month.ends - 1, known_at=month.ends - 1)
        balance = as_records(ask(connection, QUESTIONS["trial-balance"], moment=at))
        # 3
        exports = []
        for number, view in enumerate((*MOVED, *STOOD)):
            tell("EXPORTS", 15 + 10 * number)
            exports.append(_export(connection, view, month))
    found: Json = {
        "month": str(month),
        "from": format_instant(month.begins),
        "to": format_instant(month.ends),
        "checkpoint": checkpoint,
        "trial_balance": balance,
        "exports": exports,
    }
    return {
        **found,
        "digest": sha256(msgspec.json.encode(found, order="deterministic")).hexdigest(),
    }


def request_of(view: str, month: Month) -> Request:
    """The export of a view for a month."""
    since = None if view in STOOD else month.begins
    return Request(view=view, since=since, until=month.ends)


def _place(records: LogRecords, partition: int, events: int) -> Json:
    """Where a partition stood: the number of its events, and the last one's offset and hash."""
    if events == 0:
        return {"partition": partition, "events": 0, "offset": None, "hash": ZERO_HASH.hex()}
    for record in records.numbered(partition, events - 1)[:1]:
        return {
            "partition": partition,
            "events": events,
            "offset": record.offset,
            "event_id": decode_event(record.value).meta.event_id,
            "hash": body_hash(record.value or b"").hex(),
        }
    raise Problem(
        503,
        "Not available",
        f"partition {partition} of the log does not have event {events - 1}, which the read models "
        "show; check it with 'refundctl audit verify'",
    )


def _export(connection: Connection[Any], view: str, month: Month) -> Json:
    found = extract_in(connection, request_of(view, month))
    with found.spool:
        return {"view": view, "rows": found.rows, "sha256": found.digest}

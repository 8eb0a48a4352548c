"""Reads one account's events back from the read models, to be folded again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from ledger.log.seam import FAR
from ledger.values.instants import Instant, as_datetime
from ledger.vocabulary.envelope import ZERO_HASH, EventMeta, RecordedEvent
from ledger.vocabulary.events import EVENTS, Event
from ledger.vocabulary.shapes import Actor, Role
from projector.asking.queries import Moment, NoReadModels, explained, unknown_account

_EVENTS = """
SELECT e.account_id, e.partition, e.log_sequence, e.sequence, e.event_name, e.event_id,
       finance.micros(e.occurred_at) AS occurred_at, finance.micros(e.recorded_at) AS recorded_at,
       e.command_id, e.event_index, e.event_count, e.correlation_id, e.actor_id, e.actor_role,
       e.terms, e.edition, e.origin, e.origin_key, e.origins, e.approved_by, e.body::text AS body
FROM finance.events e WHERE e.account_id = %s"""
READ = f"{_EVENTS} AND e.sequence >= %s AND e.sequence < %s ORDER BY e.sequence"
"""By the index of accounts; no other account's rows are touched."""
_UNTIL = """
SELECT e.sequence - e.event_index + e.event_count FROM finance.events e
WHERE e.account_id = %s AND e.sequence = %s
"""
"""The number after the command of an event."""
LATEST = f"""{_EVENTS} AND e.sequence < coalesce(%s::bigint, 9223372036854775807)
AND e.occurred_at <= coalesce(%s::timestamptz, 'infinity')
AND e.recorded_at <= coalesce(%s::timestamptz, 'infinity')
ORDER BY e.sequence DESC LIMIT %s"""
STORIES = f"""{_EVENTS} AND (e.command_id = ANY(%s)
OR e.correlation_id = ANY(%s) AND e.correlation_id <> e.command_id) ORDER BY e.sequence LIMIT %s"""
_BEGINNING = """
SELECT min(e.sequence) FROM finance.events e WHERE e.account_id = %s AND e.command_id = %s
"""
_LAST = """
SELECT e.sequence FROM finance.events e WHERE e.account_id = %s ORDER BY e.sequence DESC LIMIT 1
"""
_STORY = f"""{_EVENTS} AND e.sequence >= %s AND %s IN (e.command_id, e.correlation_id)
ORDER BY e.sequence"""
"""What a command caused came later in its account."""
_REACHED = """
SELECT r.events - 1, finance.micros(r.last_recorded_at), finance.micros(finance.now())
FROM finance.reached r WHERE r.partition = %s
"""
_NO_OFFSET = -1
_DECODERS: dict[str, msgspec.json.Decoder[Event]] = {
    name: msgspec.json.Decoder(kind) for name, kind in EVENTS.items()
}
"""From the text of a body at once: a large account has a hundred thousand of them."""


OF_REFUND = f"""{_EVENTS} AND (e.command_id = (
    SELECT r.command_id FROM finance.refunds r WHERE r.account_id = %s AND r.refund_id = %s)
OR e.body ? 'refund_id' AND e.body ->> 'refund_id' = %s) ORDER BY e.sequence"""  # noqa: S608  # the columns above
ABOUT_THING = f"""{_EVENTS} AND e.sequence < %s AND (
    %s IN (e.body ->> 'instance_id', e.body ->> 'purchase_id', e.body ->> 'reservation_id')
    OR e.event_name = 'InstanceOrderRecorded'
        AND e.body @> jsonb_build_object('lines', jsonb_build_array(
            jsonb_build_object('instance_id', %s::text))))
ORDER BY e.sequence DESC LIMIT %s"""
OF_PURCHASE = f"""{_EVENTS} AND e.event_name = {{}} AND e.body ->> 'purchase_id' = %s
ORDER BY e.sequence DESC LIMIT 1"""
BOUGHT = OF_PURCHASE.format("'MarketplacePurchaseRecorded'")
INVOICED = OF_PURCHASE.format("'InvoiceStateRecorded'")


class History(Struct, frozen=True, kw_only=True):
    """Everything that happened to an account, as far as the read models have come.

    They have come to `log_sequence` of its partition, recorded at `recorded_at`; `now` is the
    present, of a sandbox where its clock stands, and never before that. `events` begin where they
    were asked for; `more` says that others follow, which were not asked for.
    """

    account_id: str
    events: tuple[RecordedEvent, ...]
    partition: int
    log_sequence: int
    recorded_at: Instant
    now: Instant
    more: bool = False


class Story(Struct, frozen=True, kw_only=True):
    """A command's own events, and those of the follow-ups that its events led to."""

    own: tuple[RecordedEvent, ...]
    caused: tuple[RecordedEvent, ...]


class _Row(Struct, kw_only=True):
    account_id: str
    partition: int
    log_sequence: int
    sequence: int
    event_name: str
    event_id: str
    occurred_at: int
    recorded_at: int
    command_id: str
    event_index: int
    event_count: int
    correlation_id: str
    actor_id: str
    actor_role: str
    terms: str
    edition: int
    origin: str
    origin_key: str
    origins: str
    approved_by: str
    body: str


def history(
    connection: Connection[Any], account_id: str, since: int = 1, most: int | None = None
) -> History:
    """The account's events from the one of that number on, and the place of the read models, both
    as of one instant. With `most` only so many and one more, and the rest of that one's command.

    A command of whose events the last have yet to come counts as not decided. Raises UnknownAccount
    where none of its events is there, NoReadModels where some of them are missing.
    """
    with explained(connection), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        until = FAR if most is None else _until(connection, account_id, since + most)
        with connection.cursor(row_factory=class_row(_Row)) as cursor:
            rows = cursor.execute(READ, (account_id, since, until)).fetchall()
        if not rows:
            raise unknown_account(account_id)
        reached = connection.execute(_REACHED, (rows[0].partition,)).fetchone()
    events = tuple(map(_event, _of_whole_commands(rows)))
    if reached is None or None in reached or _gap(events, since):
        raise NoReadModels(
            f"account {account_id}: the read models do not have all of its events yet; see their "
            "progress with 'refundctl status', and ask again"
        )
    log_sequence, recorded_at, present = reached
    return History(
        account_id=account_id,
        events=events,
        partition=rows[0].partition,
        log_sequence=log_sequence,
        recorded_at=recorded_at,
        now=max(present, recorded_at),
        more=most is not None and len(events) > most,
    )


def story(connection: Connection[Any], account_id: str, command_id: str) -> Story:
    """A command's own events, and what they caused until now; both empty while it has none.

    Raises NoReadModels where no projector has run yet.
    """
    with explained(connection):
        began = connection.execute(_BEGINNING, (account_id, command_id)).fetchone()
    found = _found(connection, _STORY, (account_id, began and began[0], command_id))
    own = tuple(each for each in found if each.meta.causation_id == command_id)
    if not own or len(own) < own[0].meta.count:
        return Story(own=(), caused=())
    return Story(
        own=own[: own[0].meta.count],
        caused=tuple(each for each in found if each.meta.causation_id != command_id),
    )


def last_sequence(connection: Connection[Any], account_id: str) -> int:
    """The number of the account's last event; 0 where it has none."""
    row = connection.execute(_LAST, (account_id,)).fetchone()
    return 0 if row is None else int(row[0])


def present(connection: Connection[Any]) -> Instant:
    """The present by the database's clock; in a sandbox where its clock stands."""
    row = connection.execute("SELECT finance.micros(finance.now())").fetchone()
    assert row is not None, "a query without a table has one row"
    return int(row[0])


def latest(
    connection: Connection[Any],
    account_id: str,
    limit: int,
    before: int | None = None,
    at: Moment | None = None,
) -> tuple[RecordedEvent, ...]:
    """The account's last events, the newest first: those before a number, and of a past moment."""
    as_of, known_at = (None, None) if at is None else map(as_datetime, (at.as_of, at.known_at))
    return _found(connection, LATEST, (account_id, before, as_of, known_at, limit))


def of_stories(
    connection: Connection[Any], account_id: str, correlation_ids: Iterable[str], limit: int
) -> tuple[RecordedEvent, ...]:
    """The account's events of the commands that began these stories, and of all that followed."""
    stories = sorted(set(correlation_ids))
    return _found(connection, STORIES, (account_id, stories, stories, limit))


def of_refund(
    connection: Connection[Any], account_id: str, refund_id: str
) -> tuple[RecordedEvent, ...]:
    """The events of the command that issued a refund, and all that name the refund."""
    return _found(connection, OF_REFUND, (account_id, account_id, refund_id, refund_id))


def about_thing(
    connection: Connection[Any], account_id: str, thing_id: str, before: int, limit: int
) -> tuple[RecordedEvent, ...]:
    """The last events before a number that name an instance, purchase or reservation; in order."""
    found = _found(connection, ABOUT_THING, (account_id, before, thing_id, thing_id, limit))
    return tuple(reversed(found))


def of_purchase(
    connection: Connection[Any], account_id: str, purchase_id: str
) -> tuple[RecordedEvent, ...]:
    """What was bought, and the last that was said of its invoice; however much happened since."""
    asked = (account_id, purchase_id)
    return _found(connection, BOUGHT, asked) + _found(connection, INVOICED, asked)


def _found(
    connection: Connection[Any], statement: str, values: Sequence[object]
) -> tuple[RecordedEvent, ...]:
    with explained(connection), connection.cursor(row_factory=class_row(_Row)) as cursor:
        return tuple(map(_event, cursor.execute(statement.encode(), values).fetchall()))


def _until(connection: Connection[Any], account_id: str, sequence: int) -> int:
    row = connection.execute(_UNTIL, (account_id, sequence)).fetchone()
    return FAR if row is None else int(row[0])


def _of_whole_commands(rows: list[_Row]) -> list[_Row]:
    last = rows[-1]
    whole = last.event_index == last.event_count - 1
    return rows if whole else rows[: -last.event_index - 1]


def _gap(events: tuple[RecordedEvent, ...], since: int) -> bool:
    found = [event.meta.sequence for event in events]
    return found != list(range(since, since + len(events)))


def _event(row: _Row) -> RecordedEvent:
    """What only proves an event's place, hash and offset and digest, is not in the read models."""
    meta = EventMeta(
        event_id=row.event_id,
        account_id=row.account_id,
        sequence=row.sequence,
        source_partition=row.partition,
        source_offset=_NO_OFFSET,
        index=row.event_index,
        count=row.event_count,
        log_sequence=row.log_sequence,
        prev_hash=ZERO_HASH,
        recorded_at=row.recorded_at,
        occurred_at=row.occurred_at,
        causation_id=row.command_id,
        command_digest=ZERO_HASH,
        correlation_id=row.correlation_id,
        actor=Actor(id=row.actor_id, role=Role(row.actor_role)),
        terms=row.terms,
        edition=row.edition,
        origin=row.origin,
        origin_key=row.origin_key,
        origins=row.origins,
        approved_by=row.approved_by,
    )
    return RecordedEvent(meta=meta, body=_DECODERS[row.event_name].decode(row.body))

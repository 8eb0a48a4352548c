"""What was the outcome of a command: its events, or its refusal?

One row for each complete event; the SQL view groups them by command. The same command id with other
content has another digest, so the first outcome can still be found.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    CommandRefused,
    InstanceDowngradeQuoted,
    InstanceReturnQuoted,
    LedgerOpened,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from projector.rows.changes import Insert, RowChange
from projector.rows.tables import BIGINT, BOOLEAN, BYTES, INTEGER, JSON, TEXT, Row, Table, as_json

TABLE = Table(
    name="outcomes",
    key=("partition", "log_sequence"),
    columns={
        "partition": INTEGER,
        "log_sequence": BIGINT,
        "account_id": TEXT,
        "command_id": TEXT,
        "command_digest": BYTES,
        "event_index": INTEGER,
        "event_count": INTEGER,
        "event_id": TEXT,
        "event_name": TEXT,
        "sequence": BIGINT,
        "refused": BOOLEAN,
        "command_type": TEXT,
        "quote_id": TEXT,
        "quote_amount": BIGINT,
        "quote_currency": TEXT,
        "recorded_at": BIGINT,
        "occurred_at": BIGINT,
        "correlation_id": TEXT,
        "actor_id": TEXT,
        "actor_role": TEXT,
        "terms": TEXT,
        "edition": INTEGER,
        "origin": TEXT,
        "origin_key": TEXT,
        "origins": TEXT,
        "approved_by": TEXT,
        "body": JSON,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """A row for every event except `LedgerOpened`, which has no command."""
    body = recorded.body
    if isinstance(body, LedgerOpened):
        return ()
    row = _row(recorded)
    match body:
        case CommandRefused():
            row["refused"] = True
            row["command_type"] = body.command_type
        case (
            InstanceReturnQuoted()
            | InstanceDowngradeQuoted()
            | ReservationRefundQuoted()
            | ReservationExchangeQuoted()
        ):
            row["quote_id"] = body.quote_id
            row["quote_amount"] = body.amount
            row["quote_currency"] = body.currency
        case _:
            pass
    return (Insert(table=TABLE, row=row),)


def _row(recorded: RecordedEvent) -> Row:
    meta = recorded.meta
    return {
        "partition": meta.source_partition,
        "log_sequence": meta.log_sequence,
        "account_id": meta.account_id,
        "command_id": meta.causation_id,
        "command_digest": meta.command_digest,
        "event_index": meta.index,
        "event_count": meta.count,
        "event_id": meta.event_id,
        "event_name": recorded.name,
        "sequence": meta.sequence,
        "refused": False,
        "command_type": None,
        "quote_id": None,
        "quote_amount": None,
        "quote_currency": None,
        "recorded_at": meta.recorded_at,
        "occurred_at": meta.occurred_at,
        "correlation_id": meta.correlation_id,
        "actor_id": meta.actor.id,
        "actor_role": meta.actor.role.value,
        "terms": meta.terms,
        "edition": meta.edition,
        "origin": meta.origin,
        "origin_key": meta.origin_key,
        "origins": meta.origins,
        "approved_by": meta.approved_by,
        "body": as_json(recorded.body),
    }

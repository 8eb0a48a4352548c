"""Which instances are or were in the recycle bin, since when, until when, why, and what
followed?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    InstanceDestroyed,
    InstanceDowngraded,
    InstanceDowngradeQuoted,
    InstanceEvent,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    InstanceUpgraded,
    PostpaidInstanceStarted,
)
from projector.rows.changes import Insert, RowChange, Set
from projector.rows.tables import BIGINT, TEXT, Table, Value

TABLE = Table(
    name="recycle_bin",
    key=("account_id", "isolation_id"),
    columns={
        "account_id": TEXT,
        "isolation_id": TEXT,
        "instance_id": TEXT,
        "reason": TEXT,
        "state": TEXT,
        "isolated_at": BIGINT,
        "restore_until": BIGINT,
        "averted_by": TEXT,
        "restored_at": BIGINT,
        "destroyed_at": BIGINT,
        "destroyed_because": TEXT,
        "command_id": TEXT,
        "recorded_at": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """Every isolation is one row; a renewal in time, a restore and a destruction update it."""
    body = recorded.body
    if not isinstance(body, InstanceEvent):
        return ()
    match body:
        case InstanceIsolated():
            return (_isolated(recorded, body),)
        case InstanceOrderRecorded():
            return tuple(
                _mark(recorded, isolation_id, averted_by=body.order_id)
                for isolation_id in body.averted_isolation_ids
            )
        case InstanceRestored():
            restored_at = body.restored_at
            return (_mark(recorded, body.isolation_id, state="RESTORED", restored_at=restored_at),)
        case InstanceDestroyed():
            return (
                _mark(
                    recorded,
                    body.isolation_id,
                    state="DESTROYED",
                    destroyed_at=recorded.meta.occurred_at,
                    destroyed_because=body.reason.value,
                ),
            )
        case (
            PostpaidInstanceStarted()
            | InstanceUpgraded()
            | InstanceReturnQuoted()
            | InstanceDowngradeQuoted()
            | InstanceDowngraded()
        ):
            return ()
        case _:
            assert_never(body)


def _isolated(recorded: RecordedEvent, body: InstanceIsolated) -> Insert:
    return Insert(
        table=TABLE,
        row={
            "account_id": recorded.meta.account_id,
            "isolation_id": body.isolation_id,
            "instance_id": body.instance_id,
            "reason": body.reason.value,
            "state": "ISOLATED",
            "isolated_at": body.isolated_at,
            "restore_until": body.restore_until,
            "averted_by": None,
            "restored_at": None,
            "destroyed_at": None,
            "destroyed_because": None,
            "command_id": recorded.meta.causation_id,
            "recorded_at": recorded.meta.recorded_at,
        },
    )


def _mark(recorded: RecordedEvent, isolation_id: str, **columns: Value) -> Set:
    key = (recorded.meta.account_id, isolation_id)
    return Set(table=TABLE, key=key, columns={**columns})

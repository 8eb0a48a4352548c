"""Which instances exist, in which state, and until when are they paid for?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from ledger.vocabulary.shapes import OrderKind
from projector.rows.changes import Insert, RowChange, Set
from projector.rows.tables import BIGINT, TEXT, Row, Table

TABLE = Table(
    name="instances",
    key=("account_id", "instance_id"),
    columns={
        "account_id": TEXT,
        "instance_id": TEXT,
        "billing": TEXT,
        "product": TEXT,
        "region": TEXT,
        "state": TEXT,
        "ends_at": BIGINT,
        "recorded_at": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """An order or a start creates the row; orders, isolation, restore and destruction change it.

    During an isolation no order runs, so `ends_at` is empty until a renewal sets it.
    """
    body = recorded.body
    if not isinstance(body, InstanceEvent):
        return ()
    account_id = recorded.meta.account_id
    match body:
        case InstanceOrderRecorded():
            return tuple(_ordered(recorded, body))
        case PostpaidInstanceStarted():
            row = _row(recorded, "POSTPAID", body.instance_id, body.product, body.region)
            return (Insert(table=TABLE, row=row),)
        case (
            InstanceUpgraded()
            | InstanceReturnQuoted()
            | InstanceDowngradeQuoted()
            | InstanceDowngraded()
        ):
            return ()
        case InstanceIsolated():
            return (_state(account_id, body.instance_id, state="ISOLATED", ends_at=None),)
        case InstanceRestored():
            return (_state(account_id, body.instance_id, state="RUNNING"),)
        case InstanceDestroyed():
            return (_state(account_id, body.instance_id, state="DESTROYED", ends_at=None),)
        case _:
            assert_never(body)


def _ordered(recorded: RecordedEvent, body: InstanceOrderRecorded) -> Iterator[RowChange]:
    for line in body.lines:
        if body.kind is OrderKind.NEW:
            row = _row(recorded, "PREPAID", line.instance_id, line.product, line.region)
            row["ends_at"] = body.ends_at
            yield Insert(table=TABLE, row=row)
        elif body.kind is OrderKind.CONVERSION:
            paid: dict[str, str | int | None] = {"billing": "PREPAID", "ends_at": body.ends_at}
            yield _state(recorded.meta.account_id, line.instance_id, **paid)
        else:
            yield _state(recorded.meta.account_id, line.instance_id, ends_at=body.ends_at)


def _state(account_id: str, instance_id: str, **columns: str | int | None) -> Set:
    return Set(table=TABLE, key=(account_id, instance_id), columns={**columns})


def _row(recorded: RecordedEvent, billing: str, instance_id: str, product: str, region: str) -> Row:
    return {
        "account_id": recorded.meta.account_id,
        "instance_id": instance_id,
        "billing": billing,
        "product": product,
        "region": region,
        "state": "RUNNING",
        "ends_at": None,
        "recorded_at": recorded.meta.recorded_at,
    }

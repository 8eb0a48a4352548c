"""Which accounts exist, with which type, currency and standing?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
    OpeningPositionRecorded,
    SubjectErased,
)
from projector.rows.changes import Insert, RowChange, Set
from projector.rows.tables import BIGINT, BOOLEAN, INTEGER, TEXT, Table

TABLE = Table(
    name="accounts",
    key=("account_id",),
    columns={
        "account_id": TEXT,
        "account_type": TEXT,
        "us_government": BOOLEAN,
        "currency": TEXT,
        "in_arrears": BOOLEAN,
        "card_id": TEXT,
        "opened_at": BIGINT,
        "partition": INTEGER,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """An opened account is a row; its standing and its card on file change in place."""
    body = recorded.body
    if not isinstance(body, AccountEvent):
        return ()
    key = (recorded.meta.account_id,)
    match body:
        case AccountOpened():
            return (_opened(recorded, body),)
        case AccountStandingChanged():
            return (Set(table=TABLE, key=key, columns={"in_arrears": body.in_arrears}),)
        case CardChanged():
            return (Set(table=TABLE, key=key, columns={"card_id": body.card_id}),)
        case OpeningPositionRecorded() | CommitmentTermOpened() | SubjectErased():
            return ()
        case _:
            assert_never(body)


def _opened(recorded: RecordedEvent, body: AccountOpened) -> Insert:
    return Insert(
        table=TABLE,
        row={
            "account_id": recorded.meta.account_id,
            "account_type": body.account_type.value,
            "us_government": body.us_government,
            "currency": body.currency,
            "in_arrears": False,
            "card_id": None,
            "opened_at": recorded.meta.recorded_at,
            "partition": recorded.meta.source_partition,
        },
    )

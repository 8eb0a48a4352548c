"""What was debited and credited where, line by line?"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.shapes import Posting
from projector.rows.changes import Insert, RowChange
from projector.rows.tables import BIGINT, INTEGER, TEXT, Table

TABLE = Table(
    name="postings",
    key=("partition", "log_sequence", "line"),
    columns={
        "partition": INTEGER,
        "log_sequence": BIGINT,
        "line": INTEGER,
        "event_id": TEXT,
        "event_name": TEXT,
        "account_id": TEXT,
        "transaction": INTEGER,
        "ledger_account": TEXT,
        "side": TEXT,
        "amount": BIGINT,
        "currency": TEXT,
        "recorded_at": BIGINT,
        "occurred_at": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """A row for each posting of each event, whatever its type: a new event with postings is in the
    journal without a change here.
    """
    postings: tuple[Posting, ...] = getattr(recorded.body, "postings", ())
    if not postings:
        return ()
    currency: str = recorded.body.currency  # type: ignore[union-attr]  # it has postings
    meta, name = recorded.meta, recorded.name
    return tuple(
        Insert(
            table=TABLE,
            row={
                "partition": meta.source_partition,
                "log_sequence": meta.log_sequence,
                "line": line,
                "event_id": meta.event_id,
                "event_name": name,
                "account_id": meta.account_id,
                "transaction": posting.transaction,
                "ledger_account": posting.account,
                "side": posting.side.value,
                "amount": posting.amount,
                "currency": currency,
                "recorded_at": meta.recorded_at,
                "occurred_at": meta.occurred_at,
            },
        )
        for line, posting in enumerate(postings, start=1)
    )

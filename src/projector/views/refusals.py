"""Which commands were refused, by which rules, with which figures?"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import CommandRefused
from projector.rows.changes import Insert, RowChange
from projector.rows.tables import BIGINT, INTEGER, JSON, TEXT, Table, as_json

TABLE = Table(
    name="refusals",
    key=("partition", "log_sequence", "position"),
    columns={
        "partition": INTEGER,
        "log_sequence": BIGINT,
        "position": INTEGER,
        "account_id": TEXT,
        "command_id": TEXT,
        "command_type": TEXT,
        "actor_id": TEXT,
        "actor_role": TEXT,
        "rule": TEXT,
        "code": TEXT,
        "message": TEXT,
        "figures": JSON,
        "recorded_at": BIGINT,
    },
)


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """A row for each violated rule, numbered from 1 in precedence order."""
    body, meta = recorded.body, recorded.meta
    if not isinstance(body, CommandRefused):
        return ()
    return tuple(
        Insert(
            table=TABLE,
            row={
                "partition": meta.source_partition,
                "log_sequence": meta.log_sequence,
                "position": position,
                "account_id": meta.account_id,
                "command_id": body.command_id,
                "command_type": body.command_type,
                "actor_id": meta.actor.id,
                "actor_role": meta.actor.role.value,
                "rule": violation.rule,
                "code": violation.code.value,
                "message": violation.message,
                "figures": as_json(violation.figures),
                "recorded_at": meta.recorded_at,
            },
        )
        for position, violation in enumerate(body.violations, start=1)
    )

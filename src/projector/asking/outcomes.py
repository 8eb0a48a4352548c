"""Finds the outcomes of commands, by account and command id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from ledger.values.instants import Instant
from ledger.values.money import Currency, Minor
from ledger.values.refusal import Violation

CommandKey = tuple[str, str]
"""Account id and command id."""

_FIND = """
SELECT o.account_id, o.command_id, o.command_digest, max(o.command_type) AS command_type,
       bool_or(o.refused) AS refused, array_agg(o.event_name ORDER BY o.log_sequence) AS names,
       array_agg(o.event_id ORDER BY o.log_sequence) AS ids, max(o.quote_id) AS quote_id,
       max(o.quote_amount) AS quote_amount, max(o.quote_currency) AS quote_currency,
       min(o.recorded_at) AS recorded_at, o.partition, min(o.log_sequence) AS log_sequence
FROM unnest(%s::text[], %s::text[]) AS wanted (account_id, command_id)
JOIN read_models.outcomes o USING (account_id, command_id)
GROUP BY o.account_id, o.command_id, o.command_digest, o.partition
HAVING count(*) = max(o.event_count)
ORDER BY min(o.log_sequence)
"""
_VIOLATIONS = """
SELECT partition, log_sequence, rule, code, message, figures FROM read_models.refusals
WHERE (partition, log_sequence) IN (SELECT * FROM unnest(%s::integer[], %s::bigint[]))
ORDER BY partition, log_sequence, position
"""


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of one command: its events in order, or why it was refused.

    `command_digest` distinguishes commands with the same id and different content.
    """

    account_id: str
    command_id: str
    command_digest: bytes
    command_type: str | None
    event_names: tuple[str, ...]
    event_ids: tuple[str, ...]
    violations: tuple[Violation, ...]
    quote_id: str | None
    quote_amount: Minor | None
    quote_currency: Currency | None
    recorded_at: Instant
    partition: int
    log_sequence: int

    @property
    def refused(self) -> bool:
        """Whether the command was refused."""
        return bool(self.violations)


class _Row(Struct, kw_only=True):
    account_id: str
    command_id: str
    command_digest: bytes
    command_type: str | None
    refused: bool
    names: list[str]
    ids: list[str]
    quote_id: str | None
    quote_amount: int | None
    quote_currency: str | None
    recorded_at: int
    partition: int
    log_sequence: int


def outcome(connection: Connection[Any], account_id: str, command_id: str) -> tuple[Outcome, ...]:
    """The outcomes of one command id, the earliest first; empty if there is none.

    There are several if the id came again with other content: the later ones are refusals.
    """
    return outcomes(connection, [(account_id, command_id)]).get((account_id, command_id), ())


def outcomes(
    connection: Connection[Any], wanted: Iterable[CommandKey]
) -> dict[CommandKey, tuple[Outcome, ...]]:
    """The outcomes of many commands in two round trips; commands without one are left out."""
    keys = list(wanted)
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(_FIND, ([key[0] for key in keys], [key[1] for key in keys]))
        found = rows.fetchall()
    violations = _violations(connection, [row for row in found if row.refused])
    gathered: dict[CommandKey, list[Outcome]] = defaultdict(list)
    for row in found:
        place = (row.partition, row.log_sequence)
        gathered[row.account_id, row.command_id].append(_outcome(row, violations.get(place, [])))
    return {key: tuple(each) for key, each in gathered.items()}


def _violations(
    connection: Connection[Any], refused: list[_Row]
) -> dict[tuple[int, int], list[Violation]]:
    if not refused:
        return {}
    places = ([row.partition for row in refused], [row.log_sequence for row in refused])
    found: dict[tuple[int, int], list[Violation]] = defaultdict(list)
    for partition, log_sequence, rule, code, message, figures in connection.execute(
        _VIOLATIONS, places
    ):
        violation = {"rule": rule, "code": code, "message": message, "figures": figures}
        found[partition, log_sequence].append(msgspec.convert(violation, Violation))
    return found


def _outcome(row: _Row, violations: list[Violation]) -> Outcome:
    return Outcome(
        account_id=row.account_id,
        command_id=row.command_id,
        command_digest=row.command_digest,
        command_type=row.command_type,
        event_names=tuple(row.names),
        event_ids=tuple(row.ids),
        violations=tuple(violations),
        quote_id=row.quote_id,
        quote_amount=row.quote_amount,
        quote_currency=row.quote_currency,
        recorded_at=row.recorded_at,
        partition=row.partition,
        log_sequence=row.log_sequence,
    )

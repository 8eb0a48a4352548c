"""Commands that wait for a second person, in the database, as they were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from unicodedata import normalize

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from console.web.problems import Problem
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from projector.asking.queries import Place

Key = tuple[str, str]
"""Account id and command id."""
PLACE = 3
"""The parts of a place among the proposals: when it was proposed, its account, its command."""
_COLUMNS = """
account_id, command_id, command_name, digest, command, reason, proposed_by, proposed_at,
waits_until, decided_by, decided_at, published_at,
coalesce(decision, CASE WHEN waits_until > now() THEN 'WAITING' ELSE 'EXPIRED' END) AS state
"""


class Proposal(Struct, frozen=True, kw_only=True):
    """A command that somebody proposed, and what a second person decided."""

    account_id: str
    command_id: str
    command_name: str
    digest: bytes
    command: dict[str, Any]
    reason: str
    proposed_by: str
    proposed_at: datetime
    waits_until: datetime
    decided_by: str | None
    decided_at: datetime | None
    published_at: datetime | None
    state: Literal["WAITING", "EXPIRED", "APPROVED", "DECLINED"]

    @property
    def key(self) -> Key:
        """Its account and its command."""
        return self.account_id, self.command_id

    @property
    def given(self) -> GivenCommand:
        """The command; of what was approved with the name of who did."""
        meta = msgspec.convert(self.command["meta"], CommandMeta)
        body = msgspec.convert(self.command["body"], COMMANDS[self.command_name])
        if self.state == "APPROVED":
            meta = msgspec.structs.replace(meta, approved_by=self.decided_by)
        return GivenCommand(meta=meta, body=body)


def propose(
    connection: Connection[Any], given: GivenCommand, reason: str, name: str, hours: int
) -> Proposal:
    """Keep a command until somebody else decides; what was proposed before under its id stays."""
    key = (given.meta.account_id, given.meta.command_id)
    connection.execute(
        "INSERT INTO web.proposals (account_id, command_id, command_name, digest, command, reason,"
        " proposed_by, waits_until)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, now() + make_interval(hours => %s))"
        " ON CONFLICT DO NOTHING",
        (
            *key,
            given.name,
            command_digest(given),
            Jsonb(
                {"meta": msgspec.to_builtins(given.meta), "body": msgspec.to_builtins(given.body)}
            ),
            reason,
            name,
            hours,
        ),
    )
    return find(connection, [key])[key]


def find(connection: Connection[Any], keys: Iterable[Key]) -> dict[Key, Proposal]:
    """Those of these commands that were proposed."""
    wanted = list(keys)
    rows = _rows(
        connection,
        "WHERE (account_id, command_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        ([key[0] for key in wanted], [key[1] for key in wanted]),
    )
    return {each.key: each for each in rows}


class Which(StrEnum):
    """Which proposals are asked for: in SQL, what one of them is."""

    WAITING = "decision IS NULL AND waits_until > now()"
    OVER = "(decision IS NOT NULL OR waits_until <= now())"
    ALL = "true"


def newest(
    connection: Connection[Any], which: Which, limit: int, after: Place | None = None
) -> tuple[list[Proposal], Place | None]:
    """The newest, the newest first, or those after a place; and the place where they go on."""
    kept, values = which.value, list[object]()
    if after is not None:
        at, *key = after
        kept += (
            " AND proposed_at <= %s AND (proposed_at < %s OR (account_id, command_id) > (%s, %s))"
        )
        values = [at, at, *key]
    rest = f"WHERE {kept} ORDER BY proposed_at DESC, account_id, command_id LIMIT %s"
    found = _rows(connection, rest, [*values, limit + 1])
    shown = found[:limit]
    following = None
    if len(found) > limit:
        following = (shown[-1].proposed_at.isoformat(), *shown[-1].key)
    return shown, following


def approve(connection: Connection[Any], key: Key, name: str) -> Proposal:
    """Approve, once and for all, what still waits; 403 for whoever proposed it or acts in it."""
    return _decide(connection, key, name, "APPROVED")


def decline(connection: Connection[Any], key: Key, name: str) -> Proposal:
    """Decline what still waits, or withdraw the own proposal."""
    return _decide(connection, key, name, "DECLINED")


def unpublished(connection: Connection[Any]) -> list[Proposal]:
    """What was approved and is not known to be in the log."""
    return _rows(
        connection,
        "WHERE decision = 'APPROVED' AND published_at IS NULL ORDER BY decided_at LIMIT 100",
    )


def mark_published(connection: Connection[Any], keys: Sequence[Key]) -> None:
    """These are in the log."""
    connection.execute(
        "UPDATE web.proposals SET published_at = now() WHERE published_at IS NULL"
        " AND (account_id, command_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        ([key[0] for key in keys], [key[1] for key in keys]),
    )


def _decide(
    connection: Connection[Any], key: Key, name: str, decision: Literal["APPROVED", "DECLINED"]
) -> Proposal:
    """In one statement, so that of two people at the same time one decides."""
    before = find(connection, [key]).get(key)
    if before is None:
        raise Problem(404, "Not found", f"command {key[1]} of account {key[0]} waits for nobody")
    first = {_letters(before.proposed_by), _letters(before.given.meta.actor.id)}
    if decision == "APPROVED" and _letters(name) in first:
        raise Problem(403, "Not allowed", f"{name} gave this command; it takes a second person")
    done = connection.execute(
        "UPDATE web.proposals SET decision = %s, decided_by = %s, decided_at = now()"
        " WHERE account_id = %s AND command_id = %s AND decision IS NULL AND waits_until > now()",
        (decision, name, *key),
    )
    after = find(connection, [key])[key]
    if done.rowcount == 0 and (after.state, after.decided_by) != (decision, name):
        told = after.state.lower() + (f" by {after.decided_by}" if after.decided_by else "")
        raise Problem(409, "Decided already", f"command {key[1]} of account {key[0]} is {told}")
    return after


def _letters(name: str) -> str:
    """The same for names that differ by capitals or by how their letters are encoded: a proxy may
    name somebody as the person typed the name.
    """
    return normalize("NFKC", normalize("NFKC", name).casefold()).strip()


def _rows(connection: Connection[Any], rest: str, values: Sequence[object] = ()) -> list[Proposal]:
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        # The rest is one of the texts above; values are parameters.
        statement = f"SELECT {_COLUMNS} FROM web.proposals {rest}"  # noqa: S608
        return cursor.execute(statement.encode(), values).fetchall()

"""The history of one cell: what clients were told, what the log holds, what was shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from ledger.log.seam import LogRecord, Outgoing, Published
from projector.rows.tables import Key
from tests.consumers.webhooks.receivers import Got

Rows = dict[Key, dict[str, Any]]


class Kind(StrEnum):
    """What a history may be guilty of."""

    LOST = "lost"
    DOUBLED = "doubled"
    TORN = "torn"
    REORDERED = "reordered"
    WRONG_OUTCOME = "wrong outcome"
    WRONG_READ_MODEL = "wrong read model"
    WRONG_ANSWER = "wrong answer"


class Violation(Struct, frozen=True, kw_only=True):
    """One thing that must not be, and where."""

    kind: Kind
    what: str


class Acked(Struct, frozen=True, kw_only=True):
    """A command that a client sent, and the place it was told."""

    sent: Outgoing
    place: Published


class Snapshot(Struct, frozen=True, kw_only=True):
    """The cell's rows of every read model at one instant, with how far the projector then was."""

    positions: dict[int, int]
    tables: dict[str, Rows]


class Answer(Struct, frozen=True, kw_only=True):
    """What a client was told of a command: the ids of its events, whether all of them are there."""

    account_id: str
    command_id: str
    digest: str
    event_ids: tuple[str, ...]
    refused: bool
    complete: bool


class History(Struct, frozen=True, kw_only=True):
    """What happened in a cell. Records are those since the cell before, in order per partition."""

    accounts: frozenset[str]
    acked: tuple[Acked, ...]
    commands: tuple[LogRecord, ...]
    events: tuple[LogRecord, ...]
    dead_letters: tuple[LogRecord, ...]
    snapshots: tuple[Snapshot, ...]
    answers: tuple[Answer, ...]
    hook_id: str
    webhooks: tuple[Got, ...]

"""Causes exist: every event can be traced to its command, and to earlier causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
)
from ledger.audit.kept import Kept
from ledger.vocabulary.envelope import CommandMeta
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import Actor, Role


class CausesExist:
    """The command of every event is at its source partition and offset, with the event's account,
    causation id, actor, correlation id and command digest; the event that a decided follow-up names
    comes before it; and no two events have the same id.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent)

    def __init__(self, audited: AuditedPartition) -> None:
        self._command: SeenCommand | None = None

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Compare each event with the last command before it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
        elif isinstance(seen, SeenEvent) and not isinstance(seen.body, LedgerOpened):
            return self._source(seen)
        return ()

    def _source(self, seen: SeenEvent) -> Iterable[Divergence]:
        meta, command = seen.meta, self._command
        if meta.source_partition != seen.record.partition:
            expected = f"source partition {seen.record.partition}"
            found = f"source partition {meta.source_partition}"
        elif command is None or command.record.offset != meta.source_offset:
            expected = f"a command at offset {meta.source_offset}"
            found = "none there that this event could follow"
        elif command.given is None:
            expected = f"a readable command at offset {meta.source_offset}"
            found = command.problem
        else:
            return _answers(seen, command.given.meta, command.digest)
        return (divergence(seen, seen.name, expected=expected, found=found),)


class AccountCauses:
    """The ids of an account's events, and the events that its follow-ups name."""

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._command: SeenCommand | None = None
        self._events = kept

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """A cause comes before the command that names it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
        elif isinstance(seen, SeenEvent):
            cause, meta = self._unknown_cause(seen), seen.meta
            if cause is not None:
                expected = f"event {cause} before the follow-up {meta.causation_id}"
                return (divergence(seen, seen.name, expected=expected, found="no such event"),)
            if not self._events.add(meta.account_id, meta.event_id):
                expected, found = "an event id of its own", f"event id {meta.event_id} once more"
                return (divergence(seen, seen.name, expected=expected, found=found),)
        return ()

    def _unknown_cause(self, seen: SeenEvent) -> str | None:
        """The event that the command of this one names as its cause, if there is none before."""
        command = self._command
        if command is None or command.record.offset != seen.meta.source_offset:
            return None
        if command.given is None or command.given.meta.actor.role is not Role.SYSTEM:
            return None
        asked = command.given.meta
        if asked.causation_id is None or self._events.has(asked.account_id, asked.causation_id):
            return None
        return asked.causation_id


_FACTS = (
    "account_id",
    "causation_id",
    "actor",
    "correlation_id",
    "command_digest",
    "approved_by",
)


def _answers(seen: SeenEvent, asked: CommandMeta, digest: bytes) -> Iterable[Divergence]:
    meta, command_id = seen.meta, asked.command_id
    correlation_id = asked.correlation_id or command_id
    expected = (
        asked.account_id,
        command_id,
        asked.actor,
        correlation_id,
        digest,
        asked.approved_by or "",
    )
    found = (
        meta.account_id,
        meta.causation_id,
        meta.actor,
        meta.correlation_id,
        meta.command_digest,
        meta.approved_by,
    )
    return () if expected == found else _different(seen, expected, found)


def _different(
    seen: SeenEvent,
    expected: Sequence[str | bytes | Actor],
    found: Sequence[str | bytes | Actor],
) -> Iterator[Divergence]:
    for name, wanted, given in zip(_FACTS, expected, found, strict=True):
        if wanted != given:
            yield divergence(
                seen, seen.name, expected=_told(name, wanted), found=_told(name, given)
            )


def _told(name: str, value: str | bytes | Actor) -> str:
    match value:
        case Actor():
            return f"{name} {value.id} {value.role}"
        case bytes():
            return f"{name} {value.hex()}"
        case str():
            return f"{name} {value}"

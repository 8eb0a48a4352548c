"""Causes exist: every event can be traced to its command, and to earlier causes."""

from __future__ import annotations

from collections.abc import Iterator
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

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Compare each event with the last command before it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
        elif isinstance(seen, SeenEvent) and not isinstance(seen.body, LedgerOpened):
            yield from self._source(seen)

    def _source(self, seen: SeenEvent) -> Iterator[Divergence]:
        meta, command = seen.meta, self._command
        if meta.source_partition != seen.record.partition:
            yield divergence(
                seen,
                seen.name,
                expected=f"source partition {seen.record.partition}",
                found=f"source partition {meta.source_partition}",
            )
        if command is None or command.record.offset != meta.source_offset:
            yield divergence(
                seen,
                seen.name,
                expected=f"a command at offset {meta.source_offset}",
                found="none there that this event could follow",
            )
        elif command.given is None:
            yield divergence(
                seen,
                seen.name,
                expected=f"a readable command at offset {meta.source_offset}",
                found=command.problem,
            )
        else:
            yield from _answers(seen, command.given.meta, command.digest)


class AccountCauses:
    """The ids of an account's events, and the events that its follow-ups name."""

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._command: SeenCommand | None = None
        self._events = kept

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """A cause comes before the command that names it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
        elif isinstance(seen, SeenEvent):
            command, meta = self._command, seen.meta
            if command is not None and command.record.offset == meta.source_offset:
                yield from self._follows(seen, command)
            if not self._events.add(meta.account_id, meta.event_id):
                yield divergence(
                    seen,
                    seen.name,
                    expected="an event id of its own",
                    found=f"event id {meta.event_id} once more",
                )

    def _follows(self, seen: SeenEvent, command: SeenCommand) -> Iterator[Divergence]:
        if command.given is None:
            return
        asked = command.given.meta
        cause = asked.causation_id
        if cause is None or asked.actor.role is not Role.SYSTEM:
            return
        if not self._events.has(asked.account_id, cause):
            yield divergence(
                seen,
                seen.name,
                expected=f"event {cause} before the follow-up {asked.command_id}",
                found="no such event",
            )


def _answers(seen: SeenEvent, asked: CommandMeta, digest: bytes) -> Iterator[Divergence]:
    meta = seen.meta
    facts = (
        ("account_id", asked.account_id, meta.account_id),
        ("causation_id", asked.command_id, meta.causation_id),
        ("actor", asked.actor, meta.actor),
        ("correlation_id", asked.correlation_id or asked.command_id, meta.correlation_id),
        ("command_digest", digest, meta.command_digest),
        ("approved_by", asked.approved_by or "", meta.approved_by),
    )
    for name, expected, found in facts:
        if expected != found:
            yield divergence(
                seen, seen.name, expected=_told(name, expected), found=_told(name, found)
            )


def _told(name: str, value: str | bytes | Actor) -> str:
    match value:
        case Actor():
            return f"{name} {value.id} {value.role}"
        case bytes():
            return f"{name} {value.hex()}"
        case str():
            return f"{name} {value}"

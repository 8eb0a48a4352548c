"""Causes exist: every event can be traced to its command, and to earlier causes."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
)
from ledger.audit.scratch import Scratch
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import Role


class CausesExist:
    """The command of every event is at its source partition and offset, with the event's account,
    causation id, actor, correlation id and command digest; the event that a decided follow-up names
    comes before it; and no two events have the same id.
    """

    def __init__(self, audited: AuditedPartition) -> None:
        self._command: SeenCommand | None = None
        self._digest = ""
        self._events = Scratch()

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Compare each event with the last command before it."""
        if isinstance(seen, SeenCommand):
            self._command = seen
            self._digest = "" if seen.given is None else command_digest(seen.given).hex()
        if not isinstance(seen, SeenEvent):
            return
        meta = seen.meta
        if not isinstance(seen.body, LedgerOpened):
            yield from self._source(seen)
        if not self._events.add(meta.account_id, meta.event_id):
            yield divergence(
                seen,
                seen.name,
                expected="an event id of its own",
                found=f"event id {meta.event_id} once more",
            )

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
            yield from self._answers(seen, command.given)

    def _answers(self, seen: SeenEvent, given: GivenCommand) -> Iterator[Divergence]:
        meta, asked = seen.meta, given.meta
        facts = (
            ("account_id", asked.account_id, meta.account_id),
            ("causation_id", asked.command_id, meta.causation_id),
            ("actor", f"{asked.actor.id} {asked.actor.role}", f"{meta.actor.id} {meta.actor.role}"),
            ("correlation_id", asked.correlation_id or asked.command_id, meta.correlation_id),
            ("command_digest", self._digest, meta.command_digest.hex()),
        )
        for name, expected, found in facts:
            if expected != found:
                yield divergence(
                    seen, seen.name, expected=f"{name} {expected}", found=f"{name} {found}"
                )
        cause = asked.causation_id
        is_follow_up = asked.actor.role is Role.SYSTEM and cause is not None
        if is_follow_up and not self._events.has(asked.account_id, cause or ""):
            yield divergence(
                seen,
                seen.name,
                expected=f"event {cause} before the follow-up {asked.command_id}",
                found="no such event",
            )

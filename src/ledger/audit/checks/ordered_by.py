"""Ordered by: every decided command was signed by an origin that might give it then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
)
from ledger.log.seam import Topic
from ledger.origins.table import Mode, OriginTable
from ledger.origins.verifying import Proven, Unproven, Verifier
from ledger.vocabulary.envelope import EventMeta
from ledger.vocabulary.events import LedgerOpened

_KEPT_VERIFIERS = 8
"""Versions follow on each other, so that few are needed at once."""


class OrderedBy:
    """Every event names a version of the table of origins, none older than the one before it; where
    that version asks for a signature, and wherever an event names an origin, its command is signed
    by a key of that origin, valid when the log took it, for a command that it might give.

    It needs the table's history (REFUNDS_ORIGINS), and of hmac-sha256 the secrets.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent)

    def __init__(self, audited: AuditedPartition) -> None:
        self._origins = audited.origins
        opened = audited.opened
        self._ledger_id = "" if opened is None else opened.topic_ids.get(Topic.COMMANDS.value, "")
        self._command: SeenCommand | None = None
        self._last = audited.begin.origins
        self._first: EventMeta | None = None
        self._verifiers: dict[str, Verifier] = {}

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Verify a command at its first event; the others must say the same."""
        if isinstance(seen, SeenCommand):
            self._command, self._first = seen, None
        if not isinstance(seen, SeenEvent) or isinstance(seen.body, LedgerOpened):
            return ()
        meta, first = seen.meta, self._first
        if first is None or first.source_offset != meta.source_offset:
            self._first, last, self._last = meta, self._last, meta.origins
            asked = last or meta.origins or meta.origin or meta.origin_key
            return self._judged(seen, last) if asked else ()
        if _named(meta) != _named(first):
            return (divergence(seen, expected=_told(first), found=_told(meta)),)
        return ()

    def _judged(self, seen: SeenEvent, last: str) -> Iterator[Divergence]:
        meta, history = seen.meta, self._origins.history
        if not meta.origins:
            if last or meta.origin or meta.origin_key:
                after = f"version {last or 'none'} of the origins, or a later one"
                yield divergence(seen, meta.causation_id, expected=after, found=_told(meta))
            return
        table = history.version(meta.origins)
        if table is None:
            expected = (
                f"a version of the table of origins, up to {history.newest.version or 'none'}"
            )
            yield divergence(seen, meta.causation_id, expected=expected, found=_told(meta))
        elif last and _number(meta.origins) < _number(last):
            expected = f"version {last} of the origins, or a later one"
            yield divergence(seen, meta.causation_id, expected=expected, found=_told(meta))
        else:
            yield from self._signed(seen, table)

    def _signed(self, seen: SeenEvent, table: OriginTable) -> Iterator[Divergence]:
        meta = seen.meta
        named = bool(meta.origin or meta.origin_key)
        if not named and table.mode is not Mode.REQUIRED:
            return
        if named and table.mode is Mode.OPEN:
            yield divergence(seen, meta.causation_id, expected="no origin asked", found=_told(meta))
            return
        answer = self._answer(seen, table.version)
        if answer != Proven(origin=meta.origin, key_id=meta.origin_key):
            found = f"{answer.doubt}: {answer.detail}" if isinstance(answer, Unproven) else answer
            expected = f"the signature of {_told(meta)}"
            yield divergence(seen, meta.causation_id, expected=expected, found=found)

    def _answer(self, seen: SeenEvent, version: str) -> Proven | Unproven | str:
        """Who gave the command, or why that cannot be told."""
        command = self._command
        if (
            command is None
            or command.given is None
            or command.record.offset != seen.meta.source_offset
        ):
            return f"no command at offset {seen.meta.source_offset} that could be verified"
        try:
            verifier = self._verifier(version)
        except ValueError as error:
            return f"it cannot be verified: {error}"
        record = command.record
        return verifier.check(
            command.given, record.value or b"", record.headers, record.appended_at
        )

    def _verifier(self, version: str) -> Verifier:
        if version not in self._verifiers:
            if len(self._verifiers) >= _KEPT_VERIFIERS:
                self._verifiers.clear()
            kept = self._origins
            made = Verifier(kept.history, kept.secrets, self._ledger_id, version)
            self._verifiers[version] = made
        return self._verifiers[version]


def _number(version: str) -> int:
    return int(version.partition(":")[0])


def _named(meta: EventMeta) -> tuple[str, str, str]:
    return meta.origin, meta.origin_key, meta.origins


def _told(meta: EventMeta) -> str:
    who = f"{meta.origin}/{meta.origin_key}" if meta.origin or meta.origin_key else "nobody"
    return f"{who} by version {meta.origins or 'none'}"

"""Same verdict: judges every command again, as the only check with the code of the decider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ledger.audit.evidence import (
    AuditedPartition,
    Divergence,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenEvent,
    divergence,
    instant_told,
)
from ledger.audit.kept import Kept
from ledger.decide import Decision, Duplicate, decide
from ledger.state import MemoryState, evolve
from ledger.terms.table import Terms, TermsTable
from ledger.vocabulary.envelope import NEWEST_EDITION, EventMeta, RecordedEvent


class RulesOfThatTime:
    """Every command that is judged again, with the same terms and the events before it, gives the
    stored events: same bodies, same instants. All of them name the same terms, which were in force
    by then, and no event is of an earlier edition of the rules than the one before it in the
    partition.

    An older version of terms can be right: a decider that does not know the next one goes on with
    it.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenEvent,)

    def __init__(self, audited: AuditedPartition) -> None:
        self._terms = audited.terms
        self._edition = audited.begin.edition
        self._first: EventMeta | None = None

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Terms that are not known are reported when their command is judged again."""
        if not isinstance(seen, SeenEvent):
            return ()
        meta = seen.meta
        last, self._edition = self._edition, max(self._edition, meta.edition)
        if not last <= meta.edition <= NEWEST_EDITION:
            expected = f"an edition from {last} to {NEWEST_EDITION}"
            return (divergence(seen, _subject(seen), expected=expected, found=str(meta.edition)),)
        first = self._first
        if first is None or first.source_offset != meta.source_offset:
            first = self._first = meta
        terms = _named(self._terms, meta)
        if meta.terms != first.terms:
            expected, found = f"terms {first.terms}, as the first event", f"terms {meta.terms}"
        elif terms is None or terms.effective_from <= meta.recorded_at:
            return ()
        else:
            expected = f"terms that were in force by {instant_told(meta.recorded_at)}"
            found = f"terms {meta.terms}, in force from {instant_told(terms.effective_from)}"
        return (divergence(seen, _subject(seen), expected=expected, found=found),)


class SameVerdict:
    """Each account's commands, judged again.

    It detects a new version of the program that decides old commands differently. Other checks
    report commands without an outcome.
    """

    heeds: ClassVar[tuple[type, ...]] = (SeenCommand, SeenEvent, PartitionEnd)

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._terms = audited.terms
        self._state = MemoryState()
        self._command: SeenCommand | None = None
        self._decision: Decision = ()
        self._number = 0

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Store a command, judge it at its first event, and compare the events one by one."""
        if isinstance(seen, SeenEvent):
            found = self._judged(seen)
            return () if found is None else (found,)
        unfinished = self._unfinished()
        if isinstance(seen, SeenCommand):
            self._command, self._decision, self._number = seen, (), 0
        return unfinished

    def _judged(self, seen: SeenEvent) -> Divergence | None:
        """What is not as decided again; else the event is folded."""
        found = self._compared(seen)
        if found is None:
            event = RecordedEvent(meta=seen.meta, body=seen.body)
            self._state.apply(evolve(self._state, event))
        return found

    def _compared(self, seen: SeenEvent) -> Divergence | None:
        command, meta = self._command, seen.meta
        if command is None or command.given is None or command.record.offset != meta.source_offset:
            return None
        terms = _named(self._terms, meta)
        if terms is None:
            return self._of_unknown_terms(seen)
        if self._number == 0:
            self._decision = decide(
                command.given,
                command.digest,
                state=self._state,
                now=meta.recorded_at,
                terms=terms,
                edition=meta.edition,
            )
        number, self._number = self._number, self._number + 1
        if _is_same(self._decision, number, seen):
            return None
        expected = _told(self._decision, number)
        return divergence(seen, _subject(seen), expected=expected, found=_stored(seen))

    def _of_unknown_terms(self, seen: SeenEvent) -> Divergence:
        known = ", ".join(each.version for each in self._terms.versions)
        expected = f"terms of a known version ({known}); name others in REFUNDS_TERMS"
        return divergence(seen, _subject(seen), expected=expected, found=repr(seen.meta.terms))

    def _unfinished(self) -> Iterable[Divergence]:
        """An outcome that has begun must be complete before the next command."""
        decision = self._decision
        if self._command is None or isinstance(decision, Duplicate) or not self._number:
            return ()
        if self._number >= len(decision):
            return ()
        expected, found = f"{len(decision)} events", f"{self._number} events"
        return (divergence(self._command, expected=expected, found=found),)


def _named(table: TermsTable, meta: EventMeta) -> Terms | None:
    """The version that an event names; None if the table does not have it."""
    try:
        return table.version(meta.terms)
    except LookupError:
        return None


def _subject(seen: SeenEvent) -> str:
    return f"{seen.meta.causation_id} {seen.name}"


def _is_same(decision: Decision, number: int, seen: SeenEvent) -> bool:
    if isinstance(decision, Duplicate) or number >= len(decision):
        return False
    fact, meta = decision[number], seen.meta
    if meta.occurred_at != fact.occurred_at or meta.count != len(decision):
        return False
    return seen.body == fact.body


def _told(decision: Decision, index: int) -> str:
    """A description of the expected event with that index."""
    if isinstance(decision, Duplicate):
        return "nothing: it was decided before"
    if index >= len(decision):
        return f"no event after the first {len(decision)}"
    fact = decision[index]
    return f"{fact.body!r} at {instant_told(fact.occurred_at)}, {len(decision)} in all"


def _stored(seen: SeenEvent) -> str:
    return f"{seen.body!r} at {instant_told(seen.meta.occurred_at)}, {seen.meta.count} in all"

"""The checker: holds the history of a cell to the pure model, and names everything that differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from consumers.follow_ups import follow_up
from consumers.reactions import REACTIONS
from ledger.log.seam import LogRecord
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_command, decode_event
from projector.reconciling.independent_fold import Refold
from projector.views import VIEWS
from tests.torture.history import Answer, History, Kind, Rows, Snapshot, Violation
from tests.torture.model import Expected, PartitionModel
from tests.torture.webhooks import told_rightly

Place = tuple[int, int]
"""Partition and offset of a command."""
LETTER = "__connect.errors."
"""What a dead letter's headers are called, as Kafka Connect does; the contract names it."""
TOLD = 5
"""So many violations of a kind are told; the others are counted."""


class Checker:
    """Remembers what came before: one for all cells of a ledger."""

    def __init__(self, opened: LedgerOpened, terms: TermsTable) -> None:
        partitions = range(opened.partition_count)
        self._models = [PartitionModel(opened, terms, partition) for partition in partitions]
        self._begun: set[int] = set()
        self._outcomes: dict[tuple[str, str, bytes], Place] = {}

    def check(self, history: History, now: Instant) -> list[Violation]:
        """Everything in the history that must not be. `now` is when the cell had come to rest.

        What a broken log adds up to is nobody's guess: then the read models are not looked at.
        """
        expected = [self._models[found.partition].judge(found) for found in history.commands]
        by_place = {_place(each.source): each for each in expected}
        in_the_log = [
            *_acked(history),
            *self._outcomes_of(history, by_place),
            *_letters(history, expected),
            *_reactions(history),
        ]
        if in_the_log:
            return in_the_log
        told = told_rightly(history.hook_id, history.events, history.webhooks)
        shown = [found for each in history.snapshots for found in _shown(history, each)]
        return [*_timers(history, now), *told, *shown, *_answers(history.answers, expected)]

    def _outcomes_of(
        self, history: History, expected: dict[Place, Expected]
    ) -> Iterator[Violation]:
        found: dict[Place, list[LogRecord]] = defaultdict(list)
        last: dict[int, int] = {}
        for each in history.events:
            event = decode_event(each.value)
            if isinstance(event.body, LedgerOpened):
                yield from self._opening(each)
                continue
            source = (event.meta.source_partition, event.meta.source_offset)
            if source in found and last.get(each.partition) != source[1]:
                yield _violation(Kind.DOUBLED, f"{source} is answered again at {_at(each)}")
            elif last.get(each.partition, -1) > source[1]:
                yield _violation(Kind.REORDERED, f"{source} is answered late, at {_at(each)}")
            last[each.partition] = source[1]
            found[source].append(each)
            yield from self._answered_once(event, source)
        for place in sorted({*expected, *found}):
            yield from _compared(place, expected.get(place), found.get(place, []))

    def _opening(self, each: LogRecord) -> Iterator[Violation]:
        if each.partition in self._begun:
            yield _violation(Kind.DOUBLED, f"the partition is opened again at {_at(each)}")
        elif each.value != self._models[each.partition].opening:
            yield _violation(Kind.WRONG_OUTCOME, f"another LedgerOpened at {_at(each)}")
        self._begun.add(each.partition)

    def _answered_once(self, event: RecordedEvent, source: Place) -> Iterator[Violation]:
        """A command, known by id and content, has one outcome, wherever it stands again."""
        meta = event.meta
        known = (meta.account_id, meta.causation_id, meta.command_digest)
        if self._outcomes.setdefault(known, source) != source:
            yield _violation(
                Kind.DOUBLED, f"command {meta.causation_id} of {meta.account_id} took effect again"
            )


def summed_up(violations: Sequence[Violation]) -> list[str]:
    """The first of each kind, and how many more there are."""
    lines = []
    for kind in Kind:
        told = [each.what for each in violations if each.kind is kind]
        lines += [f"{kind}: {what}" for what in told[:TOLD]]
        if len(told) > TOLD:
            lines.append(f"{kind}: and {len(told) - TOLD} more")
    return lines


def _acked(history: History) -> Iterator[Violation]:
    """What a client was told is in the log is there, just as it was sent."""
    values = {_place(found): found.value for found in history.commands}
    for each in history.acked:
        place = (each.place.partition, each.place.offset)
        if values.get(place) != each.sent.value:
            yield _violation(Kind.LOST, f"the command acked at {place} is not there")


def _compared(
    place: Place, expected: Expected | None, found: Sequence[LogRecord]
) -> Iterator[Violation]:
    """One command's events: those of the model, each of them, no others."""
    if expected is None:
        yield _violation(Kind.WRONG_OUTCOME, f"an answer to {place}, where no command stands")
        return
    values = [each.value for each in found]
    if values == list(expected.values):
        return
    if not found:
        yield _violation(Kind.LOST, f"command {expected.command} at {place} has no outcome")
    elif not expected.values:
        yield _violation(Kind.DOUBLED, f"the redelivery {expected.command} at {place} took effect")
    elif len(found) < len(expected.values):
        share = f"{len(found)} of {len(expected.values)}"
        yield _violation(Kind.TORN, f"{expected.command} at {place} has {share} events")
    elif len(found) > len(expected.values):
        yield _violation(Kind.DOUBLED, f"{expected.command} at {place} has too many events")
    else:
        yield _violation(Kind.WRONG_OUTCOME, f"{expected.command} at {place} is not as it must be")


def _letters(history: History, expected: Iterable[Expected]) -> Iterator[Violation]:
    """Each record that cannot be read is set aside, once, as it came."""
    wanted = {_place(each.source): each.source.value for each in expected if each.dead}
    found: set[Place] = set()
    for letter in history.dead_letters:
        headers = dict(letter.headers)
        place = (int(headers[LETTER + "partition"]), int(headers[LETTER + "offset"]))
        if place in found:
            yield _violation(Kind.DOUBLED, f"two dead letters of {place}")
        found.add(place)
        if wanted.get(place) != letter.value:
            yield _violation(Kind.WRONG_OUTCOME, f"a dead letter of {place} that must not be")
    for place in sorted(wanted.keys() - found):
        yield _violation(Kind.LOST, f"no dead letter of {place}")


def _reactions(history: History) -> Iterator[Violation]:
    """Every event's follow-ups were given, as often as it takes."""
    given = set()
    for found in history.commands:
        if found.value and b"settle_refund" in found.value:
            given.add(decode_command(found.key, found.value).meta.command_id)
    for each in history.events:
        event = decode_event(each.value)
        for reaction, kinds in REACTIONS:
            bodies = reaction(event) if isinstance(event.body, kinds) else ()
            for index, body in enumerate(bodies):
                made = follow_up(event.meta, reaction.__name__, index, body, sandbox_at=None)
                if made.meta.command_id not in given:
                    what = f"{reaction.__name__} never followed {event.name} at {_at(each)}"
                    yield _violation(Kind.LOST, what)


def _timers(history: History, now: Instant) -> Iterator[Violation]:
    """No instance of the cell runs on beyond its end: its deadline came."""
    instances = _refolded(history, None).tables["instances"]
    for key, row in instances.items():
        over = row["state"] == "RUNNING" and row["ends_at"] is not None and row["ends_at"] < now
        if over:
            yield _violation(Kind.LOST, f"the deadline of instance {key} never came")


def _shown(history: History, snapshot: Snapshot) -> Iterator[Violation]:
    """The read models were, at that instant, what the log adds up to at the projector's place."""
    refold = _refolded(history, snapshot.positions)
    for view in VIEWS:
        name = view.TABLE.name
        expected, found = refold.tables[name], snapshot.tables.get(name, {})
        yield from _differences(name, expected, found)


def _differences(name: str, expected: Rows, found: Rows) -> Iterator[Violation]:
    for key in sorted({*expected, *found}, key=repr):
        wanted, there = plain(expected.get(key)), found.get(key)
        if wanted != there:
            how = "is missing" if there is None else "must not be" if not wanted else "is wrong"
            yield _violation(Kind.WRONG_READ_MODEL, f"{name} {key} {how}")


def _refolded(history: History, positions: dict[int, int] | None) -> Refold:
    """The cell's own accounts, folded by the reconciliation's arithmetic."""
    refold = Refold()
    for each in history.events:
        if positions is None or each.offset < positions.get(each.partition, 0):
            event = decode_event(each.value)
            if event.meta.account_id in history.accounts:
                refold.take(event)
    return refold


def plain(value: object) -> object:
    """The value as the database gives it back: lists, and plain text."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _answers(answers: Iterable[Answer], expected: Iterable[Expected]) -> Iterator[Violation]:
    """Whatever a client was told of a whole outcome, at any time, is what it is for ever."""
    outcomes = {}
    for each in expected:
        if each.events:
            meta = each.events[0].meta
            known = (meta.account_id, meta.causation_id, meta.command_digest.hex())
            outcomes[known] = each.events
    for told in answers:
        events = outcomes.get((told.account_id, told.command_id, told.digest))
        if events is None:
            yield _violation(Kind.WRONG_ANSWER, f"{told.command_id}: an outcome that is none")
        elif told.complete and told.event_ids != tuple(each.meta.event_id for each in events):
            yield _violation(Kind.WRONG_ANSWER, f"{told.command_id}: another outcome was told")


def _place(found: LogRecord) -> Place:
    return found.partition, found.offset


def _at(found: LogRecord) -> str:
    return f"events {found.partition}@{found.offset}"


def _violation(kind: Kind, what: str) -> Violation:
    return Violation(kind=kind, what=what)

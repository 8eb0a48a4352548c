"""The oracle: the pure model folded over the command log says what everything else must be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct, field, msgpack

from consumers.deadlines.schedule import (
    CancelDeadline,
    DestroyKeys,
    PutDeadline,
    SendAgain,
    deadline_changes,
)
from consumers.follow_ups import follow_up
from consumers.reactions import REACTIONS
from ledger.decide import Duplicate, Fact, decide
from ledger.log.seam import LogRecord, Topic
from ledger.state import MemoryState, evolve
from ledger.terms.table import TermsTable
from ledger.values.ids import derived_id, follow_up_id, partition_of
from ledger.values.instants import Instant
from ledger.values.refusal import Code
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import (
    NEWEST_EDITION,
    ZERO_HASH,
    EventMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.events import CommandRefused, LedgerOpened
from ledger.vocabulary.shapes import Role
from ledger.wire.avro.codec import UnreadableRecord, body_hash, decode_command
from projector.reconciling.independent_fold import Refold
from projector.rows.tables import JSON, as_json
from projector.views import VIEWS
from tests.simulation.database import PENDING, DeadlineRow
from tests.simulation.workload import BREAKER
from tests.simulation.world import World, remembered_event

_MOST_ATTEMPTS = 500


class Told(Struct, kw_only=True):
    """What one partition's log holds, decoded."""

    commands: list[tuple[LogRecord, GivenCommand | None]]
    events: list[tuple[LogRecord, RecordedEvent]]


class Expected(Struct, kw_only=True):
    """What the model makes of one partition's commands."""

    events: list[RecordedEvent] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)


def violations(world: World) -> list[str]:
    """Everything that is not as the model says, in words; empty for a sound history."""
    told = [_told(world, partition) for partition in range(world.broker.partition_count)]
    expected = [_model(partition, each, world.ledger.terms) for partition, each in enumerate(told)]
    found: list[str] = []
    for partition, (each, model) in enumerate(zip(told, expected, strict=True)):
        found += _wrong_events(partition, each, model)
    if found:
        return found
    found += _wrong_dead_letters(world, expected)
    found += _wrong_follow_ups(told)
    found += _wrong_deadlines(world, told)
    found += _wrong_read_models(world, told)
    found += _wrong_snapshots(world, told)
    return found


def _wrong_snapshots(world: World, told: list[Told]) -> Iterator[str]:
    """A snapshot is the state at its place. One whose place is not in the log is believed by
    nobody.
    """
    for partition, snapshot in world.database.rows.shelf.snapshots.items():
        if snapshot.kept is None:
            continue
        end, events = snapshot.kept.place.end, told[partition].events
        upto = events[: end.log_sequence + 1]
        if len(upto) <= end.log_sequence or body_hash(upto[-1][0].value or b"") != end.last_hash:
            continue
        state = MemoryState()
        for _, recorded in upto:
            state.apply(evolve(state, recorded))
        expected = {
            (key.account_id, key.kind.__name__, key.entity_id): msgpack.encode(entity)
            for key, entity in state.entities().items()
        }
        if snapshot.entities != expected:
            differing = expected.items() ^ snapshot.entities.items()
            yield f"the snapshot of partition {partition}: {sorted(differing)[:3]}"


def _told(world: World, partition: int) -> Told:
    commands = world.broker.partitions[Topic.COMMANDS, partition]
    events = world.broker.partitions[Topic.EVENTS, partition]
    return Told(
        commands=[
            (record, _readable(record.key, record.value, partition, world.broker.partition_count))
            for record in commands.read(0, commands.end).records
        ],
        events=[
            (record, remembered_event(record.value))
            for record in events.read(0, events.end).records
        ],
    )


@lru_cache(maxsize=20_000)
def _readable(
    key: bytes | None, value: bytes | None, partition: int, count: int
) -> GivenCommand | None:
    try:
        given = decode_command(key, value)
    except UnreadableRecord:
        return None
    home = partition_of(given.meta.account_id.encode(), count)
    return given if home == partition else None


def _model(partition: int, told: Told, terms: TermsTable) -> Expected:
    """Decide every command on an ordinary dictionary; hashes are those of what really stands."""
    expected, state, now = Expected(), MemoryState(), 0
    hashes = [body_hash(record.value or b"") for record, _ in told.events]
    sequences: Counter[str] = Counter()
    for record, given in told.commands:
        now_here = max(now, record.appended_at)
        facts = None if given is None else _decided(given, state, now_here, terms)
        if given is None or (facts and given.meta.actor.id == BREAKER):
            expected.dead.append(record.offset)
            continue
        for index, fact in enumerate(facts or ()):
            now = now_here
            sequences[given.meta.account_id] += 1
            number = len(expected.events) + 1
            meta = EventMeta(
                event_id=_event_id(given, index),
                account_id=given.meta.account_id,
                sequence=sequences[given.meta.account_id],
                source_partition=partition,
                source_offset=record.offset,
                index=index,
                count=len(facts or ()),
                log_sequence=number,
                prev_hash=hashes[number - 1] if number <= len(hashes) else ZERO_HASH,
                recorded_at=now,
                occurred_at=fact.occurred_at,
                causation_id=given.meta.command_id,
                command_digest=command_digest(given),
                correlation_id=given.meta.correlation_id or given.meta.command_id,
                actor=given.meta.actor,
                terms=terms.at(now).version,
                edition=NEWEST_EDITION,
            )
            event = RecordedEvent(meta=meta, body=fact.body)
            expected.events.append(event)
            state.apply(evolve(state, event))
    return expected


def _decided(
    given: GivenCommand, state: MemoryState, now: Instant, terms: TermsTable
) -> tuple[Fact, ...]:
    found = decide(given, command_digest(given), state=state, now=now, terms=terms.at(now))
    return () if isinstance(found, Duplicate) else found


def _event_id(given: GivenCommand, index: int) -> str:
    digest = command_digest(given).hex()
    return derived_id(given.meta.account_id, given.meta.command_id, digest, "event", str(index))


def _wrong_events(partition: int, told: Told, expected: Expected) -> Iterator[str]:
    found = [event for _, event in told.events]
    if not found or not isinstance(found[0].body, LedgerOpened):
        yield f"partition {partition} does not begin with LedgerOpened"
        return
    for number, (is_, must) in enumerate(zip(found[1:], expected.events, strict=False), start=1):
        if is_ != must:
            yield f"partition {partition}, event {number}: {_difference(is_, must)}"
            return
    if len(found) - 1 != len(expected.events):
        yield (
            f"partition {partition} has {len(found) - 1} events, "
            f"the model has {len(expected.events)}"
        )


def _difference(found: RecordedEvent, expected: RecordedEvent) -> str:
    for name in EventMeta.__struct_fields__:
        is_, must = getattr(found.meta, name), getattr(expected.meta, name)
        if is_ != must:
            return f"{found.name}.{name} is {is_!r}, the model has {must!r} in {expected.name}"
    return f"{found.body!r} where the model has {expected.body!r}"


def _wrong_dead_letters(world: World, expected: list[Expected]) -> Iterator[str]:
    """Each once, whatever was forgotten."""
    wanted = Counter(
        (partition, offset) for partition, each in enumerate(expected) for offset in each.dead
    )
    found: Counter[tuple[int, int]] = Counter()
    for letter in world.broker.committed_records(Topic.DEAD_LETTERS):
        headers = dict(letter.headers)
        found[letter.partition, int(headers["__connect.errors.offset"])] += 1
    if wanted != found:
        yield f"dead letters: {sorted(found.items())}, expected {sorted(wanted.items())}"


def _wrong_follow_ups(told: list[Told]) -> Iterator[str]:
    """What every event calls for was sent, and nothing else was sent in the system's name."""
    given = {
        command.meta.command_id: command
        for each in told
        for _, command in each.commands
        if command is not None and command.meta.actor.role is Role.SYSTEM
    }
    wanted = {command.meta.command_id: command for command in _reactions(told)}
    for command_id, command in wanted.items():
        if given.pop(command_id, None) != command:
            yield f"{command.name} because of {command.meta.causation_id} was not sent"
    timers: dict[tuple[str | None, str], list[PutDeadline]] = defaultdict(list)
    for put in _deadlines(told).puts:
        timers[put.command.meta.causation_id, put.command.name].append(put)
    for command_id, command in given.items():
        if command.meta.actor.id in {reaction.__name__ for reaction, _ in REACTIONS}:
            yield f"{command.name} {command_id} was sent, but nothing calls for it"
            continue
        puts = timers[command.meta.causation_id, command.name]
        if not any(command_id in _attempts(put, _MOST_ATTEMPTS) for put in puts):
            yield f"{command.name} {command_id} was sent, but no deadline calls for it"


def _reactions(told: list[Told]) -> Iterator[GivenCommand]:
    for each in told:
        for _, recorded in each.events:
            for reaction, kinds in REACTIONS:
                if isinstance(recorded.body, kinds):
                    for index, body in enumerate(reaction(recorded)):
                        name = reaction.__name__
                        yield follow_up(recorded.meta, name, index, body, sandbox_at=None)


class Deadlines(Struct, kw_only=True):
    """Every deadline that was ever put, and those that stand at the end, by their place."""

    puts: list[PutDeadline] = field(default_factory=list)
    standing: dict[tuple[int, str], PutDeadline | CancelDeadline] = field(default_factory=dict)


def _deadlines(told: list[Told]) -> Deadlines:
    found = Deadlines()
    for partition, each in enumerate(told):
        for _, recorded in each.events:
            for change in deadline_changes(recorded):
                if isinstance(change, SendAgain | DestroyKeys):
                    continue
                place = (partition, change.deadline_id)
                if isinstance(change, PutDeadline):
                    found.puts.append(change)
                    found.standing[place] = change
                elif place in found.standing:
                    found.standing[place] = change
    return found


def _wrong_deadlines(world: World, told: list[Told]) -> Iterator[str]:
    """Due ones took effect, later ones are pending, cancelled ones are not."""
    effects = _judged(told)
    rows = world.database.rows.deadlines
    for place, change in _deadlines(told).standing.items():
        row = rows.get(place)
        if isinstance(change, CancelDeadline):
            if row is not None and row.state == PENDING:
                yield f"deadline {place} is pending, though it was cancelled"
        elif change.due_at <= world.now:
            if not effects & _attempts(change, _tries(row)):
                yield f"deadline {place} is due since {change.due_at} and took no effect"
        elif row is None or row.state != PENDING or row.due.due_at != change.due_at:
            yield f"deadline {place} is to come at {change.due_at}, but its row is {row}"


def _tries(row: DeadlineRow | None) -> int:
    return 1 if row is None else row.due.attempt + 1


def _judged(told: list[Told]) -> set[str]:
    """The ids of commands that were judged otherwise than as too early."""
    found = set()
    for each in told:
        for _, recorded in each.events:
            body = recorded.body
            early = isinstance(body, CommandRefused) and body.violations[0].code is Code.NOT_DUE
            if not early:
                found.add(recorded.meta.causation_id)
    return found


@lru_cache(maxsize=1_000)
def _attempts_of(cause: str, name: str, deadline_id: str, most: int) -> frozenset[str]:
    further = f"{name}:{deadline_id}"
    return frozenset(follow_up_id(cause, further, 0, number) for number in range(2, most + 1))


def _attempts(put: PutDeadline, most: int) -> frozenset[str]:
    """The ids under which a deadline's command may come."""
    meta = put.command.meta
    if most == 1:
        return frozenset({meta.command_id})
    cause = meta.causation_id or ""
    return _attempts_of(cause, put.command.name, put.deadline_id, most) | {meta.command_id}


def _wrong_read_models(world: World, told: list[Told]) -> Iterator[str]:
    refold = Refold()
    for each in told:
        for _, recorded in each.events:
            refold.take(recorded)
    for view in VIEWS:
        table = view.TABLE
        expected = refold.tables[table.name]
        found = world.database.rows.tables.get(table.name, {})
        texts = [name for name, kind in table.columns.items() if kind == JSON]
        for key, row in found.items():
            must = _as_written(expected.get(key, {}), texts)
            if row != must:
                yield f"{table.name} {key} is {row}, the events say {must}"
                return
        if len(found) != len(expected):
            yield f"{table.name} has {len(found)} rows, the events say {len(expected)}"


def _as_written(row: dict[str, Any], texts: Iterable[str]) -> dict[str, Any]:
    """The row with its JSON columns as text."""
    return {**row, **{name: as_json(row[name]) for name in texts if row.get(name) is not None}}

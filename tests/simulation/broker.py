"""The brokers: partitions, transactions that end by markers written one by one, and their timeouts.

Like the transactions that the client speaks (the first version of the protocol): a commit names no
transaction, only a producer and its epoch, so one that was delayed ends whichever is open then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from random import Random

from kafka import errors
from kafka.admin import TransactionState
from msgspec import Struct, field

from ledger.log.seam import Batch, Committed, LogRecord, Outgoing, Published, Topic
from ledger.values.instants import Instant
from tests.simulation.faults import Faults

Place = tuple[Topic, int]
GroupPlace = tuple[str, int]
"""A group and the partition of its source that an offset is of."""


class Transaction(Struct, kw_only=True, eq=False):
    """One transaction: where it wrote, the offsets it carries, and its markers still to come."""

    started: int
    places: dict[Place, None] = field(default_factory=dict)
    offsets: dict[GroupPlace, Committed] = field(default_factory=dict)
    committed: bool = False
    markers: list[Place | None] = field(default_factory=list)
    passed: bool = False
    """Something has gone on before the last marker, which only readers see late: to a coordinator,
    which would have let nobody go on, the transaction is over.
    """


class Ending(Enum):
    """What the coordinator remembers of a producer's last transaction."""

    NONE = auto()
    COMMITTED = auto()
    ABORTED = auto()


class Producer(Struct, kw_only=True, eq=False):
    """What the coordinator knows of a transactional id."""

    producer_id: int
    epoch: int = 0
    open: Transaction | None = None
    ending: Transaction | None = None
    last: Ending = Ending.NONE
    decided: bool = False
    """What the coordinator's log says of the last transaction that ended, whatever came since."""
    sequences: dict[Place, int] = field(default_factory=dict)
    """The number of the next record in each partition, of this epoch."""
    hanging: list[Transaction] = field(default_factory=list)
    """Ended for the coordinator, though markers of them were never written."""


class Partition:
    """Records and markers, each at its offset."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.entries: list[tuple[LogRecord | None, Transaction | None]] = []
        self.open: dict[int, int] = {}
        self.aborted: set[int] = set()

    def append(self, outgoing: Outgoing, now: Instant, within: Transaction | None) -> Published:
        """A record at the next offset."""
        offset = len(self.entries)
        record = LogRecord(
            partition=self.number,
            offset=offset,
            appended_at=now,
            key=outgoing.key,
            value=outgoing.value,
            headers=outgoing.headers,
        )
        if within is not None:
            self.open.setdefault(id(within), offset)
        self.entries.append((record, within))
        return Published(partition=self.number, offset=offset, appended_at=now)

    def mark(self, transactions: Sequence[Transaction], *, committed: bool) -> None:
        """The marker that ends what a producer has open here."""
        for each in transactions:
            self.open.pop(id(each), None)
            if not committed:
                self.aborted.add(id(each))
        self.entries.append((None, transactions[-1]))

    @property
    def end(self) -> int:
        """The high watermark."""
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        """Before the first record of the oldest open transaction."""
        return min(self.open.values(), default=len(self.entries))

    def read(self, position: int, most: int, *, uncommitted: bool = False) -> Batch:
        """Committed records from there on; the position goes on over what is not one."""
        found: list[LogRecord] = []
        end = self.end if uncommitted else self.stable_end
        while position < end and len(found) < most:
            record, within = self.entries[position]
            position += 1
            if record is not None and (uncommitted or id(within) not in self.aborted):
                found.append(record)
        return Batch(records=tuple(found), next_position=position)


class Broker:
    """The cluster. Every call is answered at once; what can go wrong on the way is the client's."""

    def __init__(
        self, partition_count: int, faults: Faults, chance: Random, clock: Callable[[], Instant]
    ) -> None:
        self.partition_count = partition_count
        self.partitions = {
            (topic, number): Partition(number)
            for topic in Topic
            for number in range(partition_count)
        }
        self.committed: dict[GroupPlace, Committed] = {}
        self.tick = 0
        self.delayed: list[tuple[int, str, int]] = []
        self.connection = object()
        self._producers: dict[str, Producer] = {}
        self._ending: list[tuple[Producer, Transaction]] = []
        self._kept: list[Transaction] = []
        self._faults = faults
        self._chance = chance
        self._clock = clock

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append without a transaction."""
        now = self._clock()
        return tuple(self.partitions[r.topic, r.partition].append(r, now, None) for r in records)

    def init_producer(self, transactional_id: str) -> tuple[int, int] | None:
        """A new epoch, which shuts out all earlier ones; None while a transaction is ended."""
        known = self._producers.get(transactional_id)
        if known is None:
            known = Producer(producer_id=len(self._producers) + 1)
            self._producers[transactional_id] = known
            return known.producer_id, known.epoch
        if known.open is not None:
            known.epoch += 1
            self._end(known, committed=False)
        if self._busy_ending(known):
            return None
        known.epoch += 1
        known.last = Ending.NONE
        known.sequences.clear()
        return known.producer_id, known.epoch

    def same_epoch_again(self, transactional_id: str) -> tuple[int, int]:
        """What a producer that fences nobody would be given: the epoch in use."""
        known = self._producers.setdefault(
            transactional_id, Producer(producer_id=len(self._producers) + 1)
        )
        return known.producer_id, known.epoch

    def add_partitions(self, transactional_id: str, epoch: int, places: Sequence[Place]) -> bool:
        """Let the producer's transaction write there; False while its last one is being ended."""
        within = self._transaction(transactional_id, epoch)
        if within is None:
            return False
        within.places.update(dict.fromkeys(places))
        return True

    def add_offsets(self, transactional_id: str, epoch: int) -> bool:
        """Let the transaction carry offsets; False while the last one is being ended."""
        return self._transaction(transactional_id, epoch) is not None

    def produce(
        self, transactional_id: str, epoch: int, records: Sequence[Outgoing], sequence: int
    ) -> None:
        """Write a batch to a partition of the transaction; one that was written before is known by
        the sequence of its first record.
        """
        known = self._checked(transactional_id, epoch)
        place = (records[0].topic, records[0].partition)
        within = self._under_way(known)
        if place not in within.places:
            raise errors.InvalidTxnStateError(f"{transactional_id}: {place} was not added")
        due = known.sequences.get(place, 0)
        if sequence < due:
            return
        if sequence > due:
            raise errors.OutOfOrderSequenceNumberError(f"{sequence} instead of {due}")
        known.sequences[place] = due + len(records)
        now = self._clock()
        for record in records:
            self.partitions[place].append(record, now, within)

    def commit_offsets(
        self, transactional_id: str, epoch: int, offsets: dict[GroupPlace, Committed]
    ) -> None:
        """Have the transaction carry these offsets."""
        self._under_way(self._checked(transactional_id, epoch)).offsets.update(offsets)

    def end(self, transactional_id: str, epoch: int, *, committed: bool) -> None:
        """Decide how the producer's transaction ends; asked again, the same answer."""
        known = self._checked(transactional_id, epoch)
        if known.open is not None:
            self._end(known, committed=committed)
            return
        if known.last is not (Ending.COMMITTED if committed else Ending.ABORTED):
            raise errors.InvalidTxnStateError(f"{transactional_id}: no transaction to end")

    def stable(self, place: GroupPlace) -> bool:
        """Is no transaction under way that carries an offset of this group and partition?"""
        within = [known.open for known in self._producers.values() if known.open is not None]
        within += [each for _, each in self._ending if None in each.markers]
        within += [h for p in self._producers.values() for h in p.hanging if None in h.markers]
        return not any(place in each.offsets for each in within)

    def hang(self, place: Place) -> None:
        """Leave a transaction of nobody's open in a partition, until its time is up."""
        stray = Transaction(started=self.tick)
        key = f"stray-{len(self._producers)}"
        self._producers[key] = Producer(producer_id=len(self._producers) + 1, open=stray)
        stray.places[place] = None
        self._kept.append(stray)
        nothing = Outgoing(topic=place[0], partition=place[1], key=None, value=b"stray")
        self.partitions[place].append(nothing, self._clock(), stray)

    def forget_markers(self) -> None:
        """A broker dies in the middle of commits and, back again, takes them for ended."""
        for known, ended in self._ending:
            if not ended.passed:
                known.hanging += [ended] if ended.markers else []
                known.ending = None
        self._ending = [each for each in self._ending if each[1].passed]
        self.connection = object()

    def end_hanging(self, producer_id: int) -> bool:
        """Write one marker of what hangs under a producer, by the coordinator's log; False if
        nothing hangs.
        """
        known = self.producer(producer_id)
        if not known.hanging:
            return False
        self._write_marker(
            known, known.hanging[0].markers[-1], known.hanging, committed=known.decided
        )
        return True

    def open_since(self, place: Place | None) -> Iterator[tuple[int, int]]:
        """Producer ids with something open in a partition, or with offsets, and since where."""
        for known in self._producers.values():
            ending = [each for producer, each in self._ending if producer is known]
            within = [each for each in (*known.hanging, *ending) if place in each.markers]
            if known.open is not None and (
                known.open.offsets if place is None else place in known.open.places
            ):
                within.append(known.open)
            if within:
                yield known.producer_id, within[0].started

    def known_as(self, transactional_id: str) -> int:
        """The producer id under a transactional id."""
        return self._producers[transactional_id].producer_id

    def state_of(self, producer_id: int) -> tuple[str, int, TransactionState]:
        """What the coordinator knows of a producer, its transactional id first."""
        known = self.producer(producer_id)
        name = next(name for name, each in self._producers.items() if each is known)
        if known.open is not None:
            return name, producer_id, TransactionState.ONGOING
        if self._busy_ending(known):
            return name, producer_id, TransactionState.PREPARE_COMMIT
        return name, producer_id, TransactionState.EMPTY

    def producer(self, producer_id: int) -> Producer:
        """What the coordinator knows of a producer id."""
        return next(each for each in self._producers.values() if each.producer_id == producer_id)

    @property
    def ending(self) -> bool:
        """Are markers still to be written?"""
        return bool(self._ending)

    def advance(self, tick: int) -> None:
        """Time goes on: delayed requests arrive, transactions time out, markers are written."""
        self.tick = tick
        for late in [each for each in self.delayed if each[0] <= tick]:
            self.delayed.remove(late)
            self._arrive_late(late[1], late[2])
        for known in self._producers.values() if tick % 8 == 0 else ():
            limit = self._faults.habits.transaction_ticks
            if known.open is not None and tick - known.open.started > limit:
                known.epoch += 1
                self._end(known, committed=False)
        if self._ending:
            self._write_markers()

    @property
    def busy(self) -> bool:
        """Are markers to be written, or requests late?"""
        return bool(self._ending or self.delayed)

    @property
    def at_rest(self) -> bool:
        """Is no transaction under way and no request late?"""
        still = any(each.open is not None or each.hanging for each in self._producers.values())
        return not (still or self._ending or self.delayed)

    def committed_records(self, topic: Topic) -> Iterator[LogRecord]:
        """Everything that is committed in a topic, partition after partition."""
        for number in range(self.partition_count):
            partition = self.partitions[topic, number]
            yield from partition.read(0, partition.end).records

    def _arrive_late(self, transactional_id: str, epoch: int) -> None:
        known = self._producers.get(transactional_id)
        if known is not None and known.epoch == epoch and known.open is not None:
            self._end(known, committed=True)

    def _checked(self, transactional_id: str, epoch: int) -> Producer:
        known = self._producers[transactional_id]
        if known.epoch != epoch:
            raise errors.InvalidProducerEpochError(f"{transactional_id}: epoch {epoch} is old")
        return known

    def _under_way(self, known: Producer) -> Transaction:
        if known.open is None:
            raise errors.InvalidTxnStateError("no transaction was begun")
        return known.open

    def _transaction(self, transactional_id: str, epoch: int) -> Transaction | None:
        known = self._checked(transactional_id, epoch)
        if known.open is None:
            if self._busy_ending(known):
                return None
            known.open = Transaction(started=self.tick)
            self._kept.append(known.open)
        return known.open

    def _busy_ending(self, known: Producer) -> bool:
        """Must a producer wait for the end of its last transaction? For its offsets always; but
        what readers see of its records may lag behind that.
        """
        ending = known.ending
        if ending is None:
            return False
        if self._faults.habits.early_fence and None not in ending.markers:
            ending.passed = True
            return False
        return True

    def _end(self, known: Producer, *, committed: bool) -> None:
        ended = known.open
        assert ended is not None
        known.open, known.ending = None, ended
        known.last = Ending.COMMITTED if committed else Ending.ABORTED
        ended.committed = known.decided = committed
        ended.markers = [*ended.places, *([None] if ended.offsets else [])]
        self._chance.shuffle(ended.markers)
        self._ending.append((known, ended))

    def _write_markers(self) -> None:
        wait = self._faults.habits.markers_wait
        for known, ended in list(self._ending):
            if wait and self._chance.random() < wait:
                continue
            if ended.markers:
                within = [ended] if ended.passed else [*known.hanging, ended]
                self._write_marker(known, ended.markers[-1], within, committed=ended.committed)
            if not ended.markers:
                self._ending.remove((known, ended))
                if known.ending is ended:
                    known.ending = None

    def _write_marker(
        self,
        known: Producer,
        place: Place | None,
        within: Sequence[Transaction],
        *,
        committed: bool,
    ) -> None:
        """One marker ends all of these that are open there: what hangs with what ends next."""
        ended = [each for each in within if place in each.markers]
        for each in ended:
            each.markers.remove(place)
            if place is None and committed:
                self.committed.update(each.offsets)
        if place is not None:
            self.partitions[place].mark(ended, committed=committed)
        known.hanging = [each for each in known.hanging if each.markers]

"""The records before the place that an audit begins at: proven unchanged, and most left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from hashlib import sha256

from msgspec import msgpack
from msgspec.structs import replace

from ledger.audit.evidence import (
    AuditedPartition,
    Begin,
    PartitionEnd,
    Seen,
    SeenCommand,
    SeenDeadLetter,
    SeenEvent,
    UnreadEvent,
)
from ledger.log.seam import FAR, LogRecord, LogTools, Topic, only
from ledger.wire.avro.codec import body_hash


class PlaceRefused(Exception):
    """The log does not have the records that were audited up to the place."""


class Before:
    """What is before the place of a partition.

    A place is where a clean audit ended, with the SHA-256 of all records before it. The next audit
    reads these bytes again and compares the digest, so what was proven of them still holds. It
    decodes only the records of accounts that have a newer one, because most checks need the whole
    history of an account. The digest is continued, for the place where this audit ends.
    """

    def __init__(
        self, audited: AuditedPartition, accounts: Collection[bytes] | None = None
    ) -> None:
        """`accounts` are those with something new; None: there is nothing before the place."""
        begin = audited.begin
        self.left_out = {Topic.COMMANDS: 0, Topic.EVENTS: 0, Topic.DEAD_LETTERS: 0}
        self._partition, self._decided = audited.partition, audited.decided
        self._accounts = accounts
        self._first = first_offsets(begin)
        self._unproven = dict(begin.digests)
        self._hashes = {topic: sha256() for topic in Topic}
        self._closings = deque[tuple[int, bytes]]()
        self._letters_end = FAR
        self._end = begin

    def leaves_out(self, topic: Topic, record: LogRecord) -> bool:
        """Is the record before the place, and of an account that has nothing new?"""
        if record.offset >= self._first[topic]:
            self.prove(topic)
            return False
        self._hashes[topic].update(_digest_of(record))
        if self._accounts is not None and (record.key or b"") in self._accounts:
            return False
        self.left_out[topic] += 1
        return True

    def wait(self, resolution: LogRecord) -> None:
        """A resolution behind the place: the next place is behind it too, if it is behind every
        letter before it.
        """
        if resolution.offset >= self._first[Topic.DEAD_LETTERS]:
            self._closings.append((resolution.offset, _digest_of(resolution)))

    def prove(self, topic: Topic) -> None:
        """All records of the topic before the place are read: they must be those of then."""
        expected = self._unproven.pop(topic.value, None)
        if expected is not None and self._hashes[topic].digest() != expected:
            raise PlaceRefused(
                f"partition {self._partition} of {topic}: the records before offset "
                f"{self._first[topic]} are not those that were audited; audit the whole log, "
                "without --from"
            )

    def is_new(self, seen: Seen) -> bool:
        """Is it behind the place?"""
        match seen:
            case SeenCommand(record=record):
                return record.offset >= self._first[Topic.COMMANDS]
            case SeenEvent(record=record) | UnreadEvent(record=record):
                return record.offset >= self._first[Topic.EVENTS]
            case SeenDeadLetter(record=record):
                return record.offset >= self._first[Topic.DEAD_LETTERS]
            case _:
                return True

    def is_whole(self, seen: Seen) -> bool:
        """Has its account been read from its first record?"""
        if self._accounts is None or isinstance(seen, PartitionEnd):
            return True
        return (seen.record.key or b"") in self._accounts

    def pass_by(self, seen: Seen) -> None:
        """The next place is behind a new step if its command is decided."""
        if self._decided is None or not self.is_new(seen):
            return
        match seen:
            case SeenCommand(record=record) if record.offset < self._decided:
                self._hashes[Topic.COMMANDS].update(_digest_of(record))
            case SeenEvent(record=record, meta=meta) if meta.source_offset < self._decided:
                self._hashes[Topic.EVENTS].update(_digest_of(record))
                self._end = replace(
                    self._end,
                    events=record.offset + 1,
                    log_sequence=meta.log_sequence + 1,
                    last_hash=body_hash(record.value or b""),
                    recorded_at=meta.recorded_at,
                    edition=meta.edition,
                    origins=meta.origins,
                )
            case SeenDeadLetter(record=record, source_offset=source):
                if source is None or source >= self._decided:
                    self._letters_end = min(self._letters_end, record.offset)
                    return
                self._pass_closings(record.offset)
                self._pass_letter(record.offset, _digest_of(record))
            case _:
                return

    def _pass_closings(self, until: int) -> None:
        """The resolutions up to an offset, which wait for it in the order of the log."""
        while self._closings and self._closings[0][0] < until:
            self._pass_letter(*self._closings.popleft())

    def _pass_letter(self, offset: int, digest: bytes) -> None:
        self._hashes[Topic.DEAD_LETTERS].update(digest)
        self._end = replace(self._end, dead_letters=offset + 1)

    def end(self) -> Begin | None:
        """Where the next audit may begin, if this one is clean; None if nothing is decided."""
        if self._decided is None or self._decided < self._first[Topic.COMMANDS]:
            return None
        self._pass_closings(self._letters_end)
        digests = {topic.value: one.digest() for topic, one in self._hashes.items()}
        return replace(self._end, commands=self._decided, digests=digests)


_encode = msgpack.Encoder().encode


def _digest_of(record: LogRecord) -> bytes:
    """Of everything that the checks see of a record; a client has its own class for headers."""
    headers = list(record.headers)
    seen = _encode((record.offset, record.appended_at, record.key, record.value, headers))
    return sha256(seen).digest()


def first_offsets(begin: Begin) -> dict[Topic, int]:
    """The first offset behind the place in each topic."""
    return {
        Topic.COMMANDS: begin.commands,
        Topic.EVENTS: begin.events,
        Topic.DEAD_LETTERS: begin.dead_letters,
    }


def accounts_since(tools: LogTools, audited: AuditedPartition) -> frozenset[bytes]:
    """The keys of all records behind the place. Of an account that is not among them, new records
    may come later; they are left to the next audit.

    Raises PlaceRefused if the log ends before the place.
    """
    found: set[bytes] = set()
    for topic, first in first_offsets(audited.begin).items():
        end = tools.end_offsets(topic)[audited.partition]
        if end < first:
            raise PlaceRefused(
                f"partition {audited.partition} of {topic} ends at offset {end}, before the place "
                f"at {first}: it is of another log; audit the whole log, without --from"
            )
        start = only(tools, audited.partition, first)
        found.update(record.key or b"" for record in tools.replay(topic, start))
    return frozenset(found)

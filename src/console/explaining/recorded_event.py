"""An event as its record has it, and what proves its place: hashes that can be redone by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from console.rendering.sentences.saying import ENGLISH, Saying
from ledger.log.seam import LogRecord
from ledger.values.instants import format_instant
from ledger.vocabulary.digest import command_digest, digested
from ledger.vocabulary.envelope import ZERO_HASH, GivenCommand, RecordedEvent
from ledger.vocabulary.sealing import key_number, text_fields
from ledger.wire.avro.codec import (
    UnreadableRecord,
    body_hash,
    decode_command,
    decode_event,
    schema_of,
)
from ledger.wire.avro.framing import frame_of
from ledger.wire.avro.schema_files import Family
from ledger.wire.json.mapping import event_to_json, value_to_json
from projector.asking.event_search import Reached

Json = dict[str, Any]


class Check(Struct, frozen=True, kw_only=True):
    """A claim of an event, what it says, what was found, and how that was computed.

    `holds` is None where there is nothing yet to compare with.
    """

    claim: str
    said: str
    found: str | None
    computed: str

    @property
    def holds(self) -> bool | None:
        """Whether the event says what was found."""
        return None if self.found is None else self.said == self.found


class EventRecord(Struct, frozen=True, kw_only=True):
    """An event, its record, and the records before and after it in its partition, if read."""

    record: LogRecord
    event: RecordedEvent
    before: LogRecord | None
    after: LogRecord | None

    @property
    def value(self) -> bytes:
        """The record's bytes."""
        return self.record.value or b""

    @property
    def frame(self) -> bytes:
        """The bytes that name the schema."""
        return frame_of(self.value)


def event_among(records: Sequence[LogRecord], offset: int) -> EventRecord | None:
    """The event at an offset, among records of its partition in their order; None if none is."""
    for place, record in enumerate(records):
        if record.offset == offset:
            return EventRecord(
                record=record,
                event=decode_event(record.value),
                before=records[place - 1] if place else None,
                after=records[place + 1] if place + 1 < len(records) else None,
            )
    return None


def command_in(record: LogRecord) -> GivenCommand | None:
    """The command in a record; None if it cannot be read."""
    try:
        return decode_command(record.key, record.value)
    except UnreadableRecord:
        return None


def checks(
    found: EventRecord,
    reached: Reached | None,
    command: GivenCommand | None,
    say: Saying = ENGLISH,
) -> tuple[Check, ...]:
    """The claims by which an event has its place, each with what was found now."""
    meta = found.event.meta
    return (
        _follows(found, say),
        _is_followed(found, reached, say),
        Check(
            claim=say.said("it has the digest of its command"),
            said=meta.command_digest.hex(),
            found=None if command is None else command_digest(command).hex(),
            computed=say.said(
                "SHA-256 of the command's name, actor and body as canonical JSON: keys sorted, no "
                "spaces, fields with their default value left out"
            ),
        ),
    )


def _follows(found: EventRecord, say: Saying) -> Check:
    meta = found.event.meta
    if meta.log_sequence == 0:
        return Check(
            claim=say.said("it is the first event of its partition"),
            said=meta.prev_hash.hex(),
            found=ZERO_HASH.hex(),
            computed=say.said("32 bytes of zeros"),
        )
    before = found.before
    return Check(
        claim=say.said("it has the hash of the event before it"),
        said=meta.prev_hash.hex(),
        found=None if before is None else body_hash(before.value or b"").hex(),
        computed=say.said("nothing was read") if before is None else _hashed(before, say),
    )


def _is_followed(found: EventRecord, reached: Reached | None, say: Saying) -> Check:
    own, after = body_hash(found.value).hex(), found.after
    computed = _hashed(found.record, say)
    if after is not None:
        following = decode_event(after.value).meta
        return Check(
            claim=say.said(
                "the event after it, at offset {offset}, has its hash", offset=after.offset
            ),
            said=following.prev_hash.hex(),
            found=own,
            computed=computed,
        )
    if reached is not None and reached.log_sequence == found.event.meta.log_sequence:
        return Check(
            claim=say.said("the read models end with it: their checkpoint has its hash"),
            said=reached.last_hash.hex(),
            found=own,
            computed=computed,
        )
    claim = say.said("it is the last of its partition")
    return Check(claim=claim, said=own, found=None, computed=computed)


def _hashed(record: LogRecord, say: Saying) -> str:
    return say.said(
        "SHA-256 of the record's value without its frame (the first {count} bytes), at offset "
        "{offset}",
        count=len(frame_of(record.value or b"")),
        offset=record.offset,
    )


def record_to_json(
    found: EventRecord,
    proof: Sequence[Check],
    event: Json,
    command: Json | None,
    reached: Reached | None,
) -> Json:
    """All of it as one JSON object; `event` and `command` as they are shown."""
    record = found.record
    name, version = schema_of(Family.EVENTS, record.value)
    return {
        "partition": record.partition,
        "offset": record.offset,
        "appended_at": format_instant(record.appended_at),
        "event": event,
        "schema": {"name": name, "version": version, "frame": found.frame.hex()},
        "value": found.value.hex(),
        "hash": body_hash(found.value).hex(),
        "checks": [
            {
                "claim": each.claim,
                "said": each.said,
                "found": each.found,
                "holds": each.holds,
                "computed": each.computed,
            }
            for each in proof
        ],
        "command": command,
        "shown_until": None if reached is None else reached.log_sequence,
    }


def event_told(found: RecordedEvent) -> Json:
    """The event with its whole envelope."""
    return {**event_to_json(found), "meta": value_to_json(found.meta)}


def command_told(given: GivenCommand) -> Json:
    """The command with its envelope, and the text over which its digest is if no part is sealed."""
    texts = [getattr(given.body, name) or "" for name in text_fields(type(given.body))]
    sealed = any(key_number(text) is not None for text in texts)
    return {
        "command": given.name,
        "meta": value_to_json(given.meta),
        "body": value_to_json(given.body),
        "digested": None if sealed else digested(given).decode(),
    }

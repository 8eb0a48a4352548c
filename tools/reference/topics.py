"""The page of the three topics: keys, settings, framing, headers, who writes and who reads."""

from __future__ import annotations

from consumers.dead_letters.set_aside import dead_letter
from ledger.log.kafka.topics import topic_settings
from ledger.log.seam import Headers, LogRecord, Topic
from ledger.origins.signing import ORIGIN, SIGNATURE
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import EventMeta, RecordedEvent
from ledger.vocabulary.events import AccountStandingChanged
from ledger.vocabulary.shapes import Actor, Role
from ledger.wire.avro.codec import Unreadable, UnreadableRecord
from ledger.wire.avro.schema_files import Family
from ledger.wire.avro.schema_registry import subject_of
from ledger.wire.cloud_events import headers_for_event
from ledger.wire.dead_letters.closing import Resolution, Resolved, resolution_record
from ledger.wire.dead_letters.headers import Place
from tools.reference.words import WRITTEN, paragraph, table

PARTIES = {
    Topic.COMMANDS: ("upstream billing, people by `refundctl`, reactions, deadlines",
                     "the decider"),
    Topic.EVENTS: ("the decider alone", "reactions, the projector, the audit, anyone"),
    Topic.DEAD_LETTERS: ("the decider, people by `refundctl dlq`", "people, the audit"),
}  # fmt: skip
HEADERS = {
    "ce_specversion": "always `1.0`",
    "ce_id": "the command's or event's id",
    "ce_source": "`/refunds/accounts/<account>`, percent-encoded; or `/refunds/ledger`",
    "ce_type": "`refunds.commands.<name>` or `refunds.events.<name>`",
    "content-type": "always `application/avro`",
    "traceparent": "the W3C trace context, if there is one",
}
SIGNED = {
    ORIGIN: "who gives the command, and the id of the key it is signed with: `<origin>/<key id>`",
    SIGNATURE: "the signature in hexadecimal digits",
}
ERRORS = {
    "__connect.errors.topic": "the topic it came from",
    "__connect.errors.partition": "the partition there",
    "__connect.errors.offset": "the offset there",
    "__connect.errors.stage": "always `VALUE_CONVERTER`",
    "__connect.errors.class.name": "`ledger.` and the reason",
    "__connect.errors.exception.class.name": "the reason",
    "__connect.errors.exception.message": "what was found, at most 1,000 characters",
}
RESOLUTIONS = {
    "refunds.dlq.resolution": "`REDRIVEN` or `DISCARDED`",
    "refunds.dlq.topic": "the topic the letter's record came from",
    "refunds.dlq.partition": "the partition there",
    "refunds.dlq.offset": "the offset there",
    "refunds.dlq.letter": "the offset of the letter in this partition",
    "refunds.dlq.actor": "who did it",
    "refunds.dlq.reason": "why; may be empty for a redriven one",
    "refunds.dlq.copy.partition": "the partition of the redriven copy; empty if discarded",
    "refunds.dlq.copy.offset": "the offset there",
}


def topics_page() -> str:
    """docs/reference/topics.md."""
    parts = (_overview(), _settings(), _framing(), _headers(), _dead_letters())
    return "# Topics\n\n" + WRITTEN + "\n".join(parts)


def sample_headers() -> tuple[Headers, Headers, Headers]:
    """What an event, a dead letter and a resolution really carry."""
    actor, now = Actor(id="billing", role=Role.BILLING), Instant(0)
    meta = EventMeta(
        event_id="e-1", account_id="acct-1", sequence=1, source_partition=0, source_offset=0,
        index=0, count=1, log_sequence=1, prev_hash=bytes(32), recorded_at=now, occurred_at=now,
        causation_id="c-1", command_digest=bytes(32), correlation_id="c-1", actor=actor, terms="1",
    )  # fmt: skip
    event = RecordedEvent(meta=meta, body=AccountStandingChanged(in_arrears=True))
    record = LogRecord(partition=0, offset=0, key=b"acct-1", value=b"", headers=(), appended_at=now)
    letter = dead_letter(record, Topic.COMMANDS, UnreadableRecord(Unreadable.NOT_OURS, ""))
    place = Place(partition=0, offset=0)
    closed = Resolution(
        kind=Resolved.DISCARDED, source=place, letter_offset=0, actor="u-1", reason="spam"
    )
    resolution = resolution_record(closed, record.key)
    return headers_for_event(event, b"00-1-2-01"), letter.headers, resolution.headers


def _overview() -> str:
    rows = [(f"`{topic}`", *PARTIES[topic]) for topic in Topic]
    keys = paragraph(
        "All three have the same number of partitions, fixed when the ledger is created. The",
        "key of a",
        "record is its account id in UTF-8; its partition is Java's murmur2 of the key over",
        "the number",
        "of partitions (publishers on librdkafka set `partitioner=murmur2_random`).",
        "`LedgerOpened`,",
        "the first event of every partition, has no key. Read the events with",
        "`isolation.level=read_committed`.",
    )
    return f"{table(('topic', 'written by', 'read by'), rows)}\n{keys}".rstrip() + "\n"


def _settings() -> str:
    said = paragraph(
        "A process refuses to start on topics with other settings, except for the sizes.",
        "`min.insync.replicas` is",
        "the number of replicas less one, at least 1.",
    )
    columns = [topic_settings(topic, 3) for topic in Topic]
    rows = [
        (f"`{name}`", *(f"`{column[name]}`" for column in columns))
        for name in columns[0]
        if name != "min.insync.replicas"
    ]
    return f"## Settings\n\n{said}{table(('setting', *(f'`{topic}`' for topic in Topic)), rows)}"


def _framing() -> str:
    said = paragraph(
        "A value is a frame followed by an Avro body. Readers accept both kinds of frames, and a",
        "topic may contain both.",
    )
    rows = [
        ("no registry", "`C3 01`, then the schema's CRC-64-AVRO in 8 bytes, little endian"),
        ("`SCHEMA_REGISTRY_URL` is set", "`00`, then the schema's id there in 4 bytes, big endian"),
    ]
    registry = paragraph(
        "The first is Avro's single-object encoding, the second Confluent's. Subjects are named by",
        f"TopicRecordName, such as `{subject_of(Family.EVENTS, 'RefundIssued')}`. A schema",
        "from the",
        "registry is never used directly: its fingerprint must be that of a schema in",
        "`schemas/`, and that one is used. The hash chain covers only the body.",
    )
    return f"## Framing\n\n{said}{table(('where', 'frame'), rows)}\n{registry}".rstrip() + "\n"


def _headers() -> str:
    said = paragraph("CloudEvents 1.0 in binary mode. Nothing is decided by them.")
    rows = [(f"`{name}`", told) for name, told in HEADERS.items()]
    signed = paragraph(
        "A command also has these two where the table of origins asks for them",
        "([how to](../how-to/origins.md)).",
    )
    added = [(f"`{name}`", told) for name, told in SIGNED.items()]
    headings = ("header", "value")
    return f"## Headers\n\n{said}{table(headings, rows)}\n{signed}{table(headings, added)}"


def _dead_letters() -> str:
    said = paragraph(
        f"A record that cannot be read as a command is copied to `{Topic.DEAD_LETTERS}`, with",
        "unchanged key, value and headers, plus Kafka Connect's error headers. A refusal is",
        "never a dead letter.",
    )
    rows = [(f"`{name}`", told) for name, told in ERRORS.items()]
    reasons = paragraph("Reasons:", ", ".join(f"`{reason}`" for reason in Unreadable) + ".")
    closed = paragraph(
        "`refundctl dlq` closes a letter with a later record in the same partition: with the same",
        "key, without a value, and with only these headers. A letter has at most one.",
        "A redriven record and its resolution are written in one transaction. The time is the",
        "broker's append time.",
    )
    resolutions = [(f"`{name}`", told) for name, told in RESOLUTIONS.items()]
    parts = (
        f"## Dead letters\n\n{said}{table(('header', 'value'), rows)}\n{reasons}",
        f"{closed}{table(('header', 'value'), resolutions)}",
    )
    return "\n".join(part.rstrip() + "\n" for part in parts)

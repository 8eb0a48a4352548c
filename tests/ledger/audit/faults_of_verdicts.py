"""Faults that only deciding again can find, the chain being made good again; each has its place."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ledger.log.seam import Topic
from ledger.vocabulary.envelope import FIRST_EDITION, NEWEST_EDITION
from ledger.vocabulary.events import BalanceCredited, CommandRefused, RefundIssued, RefundSettled
from ledger.vocabulary.shapes import Parts
from ledger.wire.avro.codec import decode_event
from tests.ledger.audit.recorded import Place, RecordedLog, event_at, put


def another_amount(s: RecordedLog) -> Place:
    """A cent less, in every sum alike."""
    partition, place = s.find(RefundIssued)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, RefundIssued)
    assert body.parts.cash is not None
    parts = Parts(cash=body.parts.cash - 1, gift=body.parts.gift)
    amount = body.amount - 1
    postings = tuple(replace(line, amount=amount) for line in body.postings)
    changes: dict[str, Any] = {
        "gross": amount,
        "amount": amount,
        "parts": parts,
        "postings": postings,
    }
    return event_at(s.forge(RefundIssued, **changes))


def another_sentence(s: RecordedLog) -> Place:
    partition, place = s.find(CommandRefused)
    body = decode_event(s.events(partition)[place].value).body
    assert isinstance(body, CommandRefused)
    softer = (replace(body.violations[0], message="not today"), *body.violations[1:])
    return event_at(s.forge(CommandRefused, violations=softer))


def another_instant(s: RecordedLog) -> Place:
    partition, place = s.find(RefundSettled)
    meta = decode_event(s.events(partition)[place].value).meta
    return event_at(s.forge_meta(RefundSettled, occurred_at=meta.occurred_at - 1))


def unknown_terms(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(RefundIssued, terms="never released"))


def terms_before_their_time(s: RecordedLog) -> Place:
    """Version 2 decides it the same, but it is in force only from 2027."""
    return event_at(s.forge_meta(RefundIssued, terms="2"))


def edition_of_long_ago(s: RecordedLog) -> Place:
    """The first edition decides it the same, but the ledger was opened in the second one."""
    return event_at(s.forge_meta(RefundIssued, edition=FIRST_EDITION))


def edition_to_come(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(RefundIssued, edition=NEWEST_EDITION + 1))


def nothing_to_follow(s: RecordedLog) -> Place:
    """A refund never was, and the command that settled it cannot be read."""
    partition, place = s.find(RefundIssued)
    source = decode_event(s.events(partition)[place].value).meta.source_offset
    s.records[Topic.EVENTS][partition] = [
        record
        for record in s.events(partition)
        if decode_event(record.value).meta.source_offset != source
    ]
    s.reseal(partition)
    partition, place = s.find(BalanceCredited)
    settling = decode_event(s.events(partition)[place].value).meta.source_offset
    offsets = [record.offset for record in s.commands(partition)]
    put(s, Topic.COMMANDS, partition, offsets.index(settling), value=b"rubbish")
    return event_at(s.events(partition)[place])

"""Seeded mutations of real records: each a way in which what arrives may not be what was meant."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ledger.log.seam import Outgoing
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.events import EVENTS
from ledger.wire.avro.codec import encode_command, encode_event
from tests.hostile.strict_avro import Reading, command_schemas
from tests.samples import sample_command, sample_event

Mutation = Callable[[random.Random, Outgoing, int], Outgoing]

_FRAME = 10
_TOO_LARGE = 512 * 1024 + 1
_PADDING = bytes(700_000)
_EVENTS = tuple(encode_event(sample_event(kind))[0] for kind in EVENTS.values())
_SAMPLES = tuple(encode_command(sample_command(kind)) for kind in COMMANDS.values())


def mutated(chance: random.Random, good: Sequence[Outgoing], partition_count: int) -> Outgoing:
    """One of the good records after one, now and then after two or three mutations."""
    record = chance.choice(good)
    if chance.random() < 0.25:
        record = replace(record, value=chance.choice(_SAMPLES))
    for _ in range(chance.choices((1, 2, 3), (8, 1, 1))[0]):
        (mutation,) = chance.choices(MUTATIONS, _WEIGHTS)
        record = mutation(chance, record, partition_count)
    return record


def flipped(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Some bits the other way round."""
    value = bytearray(_value(record))
    for _ in range(chance.choice((1, 1, 1, 2, 8)) if value else 0):
        value[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
    return replace(record, value=bytes(value))


def truncated(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Cut off somewhere."""
    value = _value(record)
    return replace(record, value=value[: chance.randrange(len(value) + 1)])


def overlong(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """A number written in more bytes than it takes, up to more than any number takes."""
    place = _number(chance, record)
    if place is None:
        return flipped(chance, record, 0)
    start, end = place
    value, longer = _value(record), chance.choice((1, 1, 2, 5, 9, 40))
    padded = value[start : end - 1] + bytes([value[end - 1] | 0x80]) + b"\x80" * (longer - 1)
    return replace(record, value=value[:start] + padded + b"\x00" + value[end:])


def extreme(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """A number, be it a length, a count or a choice, that is negative, huge or one too large."""
    place = _number(chance, record)
    if place is None:
        return flipped(chance, record, 0)
    start, end = place
    edges = (-1, 0, 1, 2, 3, 64, 127, 1 << 31, (1 << 63) - 1, -(1 << 63), -(1 << 31))
    value = _value(record)
    return replace(record, value=value[:start] + _varint(chance.choice(edges)) + value[end:])


def prolonged(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Bytes behind the end."""
    return replace(record, value=_value(record) + chance.randbytes(chance.choice((1, 2, 16, 300))))


def spliced(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """The beginning of one record and the end of another."""
    value, other = _value(record), chance.choice(_SAMPLES)
    at, place = chance.randrange(len(value) + 1), chance.randrange(len(other))
    return replace(record, value=value[:at] + other[place:])


def moved(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """A part left out, doubled, or put somewhere else."""
    value = _value(record)
    first, last = sorted(chance.randrange(len(value) + 1) for _ in range(2))
    part, rest = value[first:last], value[:first] + value[last:]
    at = chance.randrange(len(rest) + 1)
    ways = (rest, value[:first] + part + value[first:], rest[:at] + part + rest[at:])
    return replace(record, value=chance.choice(ways))


def foreign(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Another schema's frame, a registry's, one of nobody's, or no frame at all."""
    body = _value(record)[_FRAME:]
    ways = (
        chance.choice(_SAMPLES)[:_FRAME] + body,
        chance.choice(_EVENTS),
        b"\xc3\x01" + chance.randbytes(8) + body,
        b"\x00" + chance.randbytes(4) + body,
        body,
        b'{"command": "ReturnInstance"}',
        b"Obj\x01" + body,
        chance.randbytes(chance.randrange(200)),
    )
    return replace(record, value=chance.choice(ways))


def oversize(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Larger than any command may be."""
    value = _value(record)
    size = chance.randrange(_TOO_LARGE, len(_PADDING))
    return replace(record, value=(value + _PADDING[: size - len(value)]))


def astray(chance: random.Random, record: Outgoing, partition_count: int) -> Outgoing:
    """On another partition, as a publisher with another partitioner puts it."""
    return replace(record, partition=chance.randrange(partition_count))


def misnamed(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Under another key, a broken one or none."""
    keys = (None, b"", b"acct-0", b"\xff\xfe", chance.randbytes(8), b"x" * 50_000)
    return replace(record, key=chance.choice(keys))


def emptied(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Without a value, or with nothing in it."""
    return replace(record, value=chance.choice((None, b"", b"\xc3\x01", b"\x00")))


def adorned(chance: random.Random, record: Outgoing, _: int) -> Outgoing:
    """Headers that look like ours, are no text, are long, or come many times."""
    ways = (
        (("__connect.errors.offset", b"0"), ("__connect.errors.topic", b"refunds.events.v1")),
        (("refunds.dlq.resolution", b"DISCARDED"),),
        (("\u202e\x00", chance.randbytes(40)),),
        (("long", bytes(40_000)),),
        tuple(("many", b"%d" % number) for number in range(500)),
    )
    return replace(record, headers=(*record.headers, *chance.choice(ways)))


MUTATIONS: tuple[Mutation, ...] = (
    flipped, truncated, overlong, extreme, prolonged, spliced, moved, foreign, oversize, astray,
    misnamed, emptied, adorned,
)  # fmt: skip
_WEIGHTS = [0.1 if each is oversize else 5 if each is not flipped else 15 for each in MUTATIONS]


def _value(record: Outgoing) -> bytes:
    return record.value or b""


def _number(chance: random.Random, record: Outgoing) -> tuple[int, int] | None:
    """Where one of the numbers in a record that can be read begins and ends."""
    value = _value(record)
    known = command_schemas().get(value[:_FRAME])
    reading = Reading(value[_FRAME:])
    try:
        if known is not None:
            reading.whole(known[1])
    except Exception:  # mutated before: what was read so far will do
        known = known if reading.numbers else None
    if known is None or not reading.numbers:
        return None
    start, end = chance.choice(reading.numbers)
    return start + _FRAME, end + _FRAME


def _varint(value: int) -> bytes:
    number, out = (value << 1) ^ (value >> 63), bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

"""What a compiled function takes, fastavro takes alike; and what is usual, it always takes."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from typing import Any, assert_never

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS, LedgerOpened
from ledger.vocabulary.fields import (
    Choice,
    Digest,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    Texts,
    fields_of,
)
from ledger.wire.avro.compiled.reader import Reader, compiled_reader
from ledger.wire.avro.compiled.source import NotCompiled
from ledger.wire.avro.compiled.writer import Writer, compiled_writer, number_bytes
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of
from tests.ledger.wire.avro.golden_files import golden_bytes
from tests.samples import sample, sample_event

FRAME = 10
SHAPES: dict[str, type[Struct]] = {**COMMANDS, **EVENTS}
EDGES = [0, 1, 63, 64, 127, 128, 8_191, 8_192, 2**20, 2**27, 2**28 - 1, 2**28, 2**34, 2**35]
EDGES += [2**41, 2**48, 2**55, 2**56, 2**62, 2**63 - 1]


class Compiled(Struct, frozen=True, kw_only=True):
    """A version of a schema, for fastavro and compiled."""

    parsed: Any
    meta: type[Struct]
    body: type[Struct]
    reader: Reader

    def by_fastavro(self, data: bytes) -> tuple[Any, Any]:
        """Meta and body of bytes that fastavro encodes the same way; ValueError otherwise."""
        raw: Any = fastavro.schemaless_reader(BytesIO(data), self.parsed, None)
        if self.encoded_by_fastavro(raw) != data:
            raise ValueError("not the only encoding")
        meta = msgspec.convert(raw.pop("meta"), self.meta, builtin_types=(bytes,))
        return meta, msgspec.convert(raw, self.body, builtin_types=(bytes,))

    def encoded_by_fastavro(self, raw: Any) -> bytes:
        """Fastavro's bytes of a raw value."""
        out = BytesIO()
        fastavro.schemaless_writer(out, self.parsed, raw)
        return out.getvalue()


@cache
def compiled(family: Family, name: str, version: int | None = None) -> Compiled:
    """A version of a schema, or the newest."""
    chosen = version or max(versions_of(schema_root(), family, name))
    text = schema_file(schema_root(), family, name, chosen).read_text()
    schema = json.loads(text.replace('"logicalType"', '"was"'))
    meta = CommandMeta if family is Family.COMMANDS else EventMeta
    reader = compiled_reader(schema, meta, SHAPES[name])
    assert reader is not None
    return Compiled(
        parsed=fastavro.parse_schema(schema), meta=meta, body=SHAPES[name], reader=reader
    )


@cache
def writer(name: str) -> Writer:
    """The compiled writer of a class."""
    found = compiled(family_of(name), name)
    return compiled_writer(found.parsed, found.meta, found.body)


def family_of(name: str) -> Family:
    """The family of a class by its name."""
    return Family.COMMANDS if name in COMMANDS else Family.EVENTS


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Any value of a kind that Avro can hold, the edges of its encoding among them."""
    match kind:
        case Text():
            return st.text(max_size=8) | st.sampled_from(["x" * 63, "é" * 40, "x" * 5_000])
        case Number():
            edges = st.sampled_from([*EDGES, *(-edge - 1 for edge in EDGES)])
            return edges | st.integers(min_value=-(2**63), max_value=2**63 - 1)
        case Flag():
            return st.booleans()
        case Digest():
            return st.binary(min_size=32, max_size=32)
        case Choice(members=members):
            return st.sampled_from(list(members))
        case Record(shape=shape):
            return bodies(shape)
        case Items(of=item):
            return st.lists(values(item), max_size=3).map(tuple)
        case Texts():
            return st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3)
        case _ as unreachable:
            assert_never(unreachable)


@cache
def bodies(shape: type[Struct]) -> st.SearchStrategy[Any]:
    """Any value of a class."""
    parts = {
        field.name: st.none() | values(field.kind) if field.optional else values(field.kind)
        for field in fields_of(shape)
    }
    return st.builds(shape, **parts)


@pytest.mark.parametrize("key", golden_bytes())
def test_the_reader_of_every_version_takes_its_golden_bytes(key: str) -> None:
    family, name, version = key.split("/")
    found, value = compiled(Family(family), name, int(version)), golden_bytes()[key]
    assert found.reader(value, FRAME) == found.by_fastavro(value[FRAME:])


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_value_is_written_as_fastavro_writes_it_and_read_again(
    name: str, data: st.DataObject
) -> None:
    found = compiled(family_of(name), name)
    meta, body = data.draw(bodies(found.meta)), data.draw(bodies(found.body))
    raw = msgspec.to_builtins(body, builtin_types=(bytes,))
    raw["meta"] = msgspec.to_builtins(meta, builtin_types=(bytes,))
    expected = found.encoded_by_fastavro(raw)
    try:
        assert writer(name)(meta, body) == expected
    except IndexError:
        assert "x" * 5_000 in repr((meta, body))
    assert found.reader(expected, 0) == (meta, body)


@pytest.mark.parametrize("key", golden_bytes())
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_taken_only_where_fastavro_reads_and_writes_the_same(
    key: str, data: st.DataObject
) -> None:
    family, name, version = key.split("/")
    found, body = compiled(Family(family), name, int(version)), golden_bytes()[key][FRAME:]
    at = data.draw(st.integers(min_value=0, max_value=len(body)))
    cut = data.draw(st.integers(min_value=0, max_value=3))
    new = data.draw(
        st.binary(max_size=3)
        | st.sampled_from([number_bytes(edge) for edge in EDGES])
        | st.sampled_from([b"\x80\x00", b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x02", b"\x80" * 10])
    )
    damaged = body[:at] + new + body[at + cut :]
    try:
        taken = found.reader(damaged, 0)
    except Exception:  # it may raise anything: fastavro judges then
        return
    assert taken == found.by_fastavro(damaged)


@pytest.mark.parametrize("edge", [edge + near for edge in EDGES for near in (-1, 0, 1)])
def test_a_number_is_taken_only_in_its_fewest_bytes(edge: int) -> None:
    found = compiled(Family.COMMANDS, "SetAccountStanding")
    meta = msgspec.structs.replace(sample(CommandMeta), sandbox_at=min(edge, 2**63 - 1))
    body = sample(SHAPES["SetAccountStanding"])
    value = writer("SetAccountStanding")(meta, body)
    assert found.reader(value, 0) == (meta, body)
    number = number_bytes(min(edge, 2**63 - 1))
    longer = number[:-1] + bytes([number[-1] | 128, 0])
    with pytest.raises((NotCompiled, KeyError)):
        found.reader(value.replace(b"\x02" + number, b"\x02" + longer), 0)


@pytest.mark.parametrize(
    "unusual",
    [
        b"\x02\x02a\x02x\x02\x02b\x02y\x00",
        b"\x03\x10\x02a\x02x\x02b\x02y\x00",
        b"\x04\x02a\x02x\x02a\x02y\x00",
        b"\x04\x02a\x02x\x02b\x02y\x05",
    ],
    ids=["two blocks", "a block with its size", "a key twice", "no end"],
)
def test_a_map_is_taken_only_in_one_block(unusual: bytes) -> None:
    found = compiled(Family.EVENTS, "LedgerOpened")
    opened = msgspec.structs.replace(sample(LedgerOpened), topic_ids={"a": "x", "b": "y"})
    value = writer("LedgerOpened")(sample(EventMeta), opened)
    usual = b"\x04\x02a\x02x\x02b\x02y\x00"
    assert found.reader(value, 0)[1] == opened
    assert value.count(usual) == 1
    with pytest.raises((NotCompiled, IndexError)):
        found.reader(value.replace(usual, unusual), 0)


def test_a_number_of_more_than_64_bits_is_not_written() -> None:
    with pytest.raises(OverflowError):
        number_bytes(2**63)


@pytest.mark.parametrize("name", EVENTS)
def test_a_digest_of_another_size_is_not_written(name: str) -> None:
    event = sample_event(EVENTS[name])
    with pytest.raises(NotCompiled):
        writer(name)(msgspec.structs.replace(event.meta, prev_hash=b"short"), event.body)


def test_a_schema_that_does_not_fit_its_class_is_left_to_fastavro() -> None:
    schema = compiled(Family.COMMANDS, "SetAccountStanding").parsed
    assert compiled_reader(schema, CommandMeta, SHAPES["ReturnInstance"]) is None

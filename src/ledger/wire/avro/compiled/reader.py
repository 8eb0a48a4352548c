"""Compiles the reader of a schema: bytes → meta and body, if they are the usual.

A number is groups of seven bits, the lowest first, its sign in the lowest bit; the highest bit of
each byte is set except in the last. A text, list or map has its length before it, a list or map 0
after it unless it is empty. 0 stands for an absent value, 2 before one that might be absent.

Read this way, bytes are accepted only if they are the one encoding of the value: every number has
the fewest bytes, a list is one block, and nothing is left over. So they need not be encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, assert_never

from msgspec import Struct

from ledger.vocabulary.fields import Choice, Digest, Flag, Items, Kind, Number, Record, Text, Texts
from ledger.wire.avro.compiled.source import NotCompiled, Source, paired, without_null

Reader = Callable[[bytes, int], tuple[Any, Any]]
"""From a record's value and where its body begins: meta and body. Raises anything for bytes that
are not the usual.
"""

_FLAGS = {0: False, 1: True}


def compiled_reader(
    schema: Mapping[str, Any], meta: type[Struct], body: type[Struct]
) -> Reader | None:
    """The reader of any version of a schema; None if what it reads may not fit the classes."""
    source = Source("data, at")
    first, *others = schema["fields"]
    try:
        read_meta = _record(source, first["type"], meta)
        read_body = _record(source, {**schema, "fields": others}, body)
    except NotCompiled:
        return None
    with source.block("if at != len(data):"):
        source.line("raise NotCompiled")
    source.line(f"return {read_meta}, {read_body}")
    reader: Reader = source.compiled(f"<reader of {schema['name']}>")
    return reader


def _record(source: Source, kind: Any, shape: type[Struct]) -> str:
    """Adds the reading of a record; returns the expression of its value."""
    schema = source.resolved(kind)
    if not isinstance(schema, dict) or schema["type"] != "record":
        raise NotCompiled(shape.__name__)
    given = []
    for kind_of_field, field in paired(schema, shape):
        optional, present = without_null(kind_of_field, field)
        if optional:
            value = _optional(source, present, field.kind)
        else:
            value = _value(source, present, field.kind)
        given.append(f"{field.name}={value}")
    return f"{source.name_of(shape)}({', '.join(given)})"


def _optional(source: Source, schema: Any, kind: Kind) -> str:
    into = source.variable()
    with source.block("if data[at] == 0:"):
        source.line("at += 1")
        source.line(f"{into} = None")
    with source.block("elif data[at] == 2:"):
        source.line("at += 1")
        source.line(f"{into} = {_value(source, schema, kind)}")
    with source.block("else:"):
        source.line("raise NotCompiled")
    return into


def _value(source: Source, schema: Any, kind: Kind) -> str:
    """Adds the reading of a value, so that `at` is behind it; returns its expression."""
    wire = source.resolved(schema)
    avro = wire["type"] if isinstance(wire, dict) else wire
    match kind:
        case Text() if avro == "string":
            return _text(source)
        case Number() if avro in {"long", "int"}:
            return _number(source)
        case Flag() if avro == "boolean":
            return _looked_up(source, _FLAGS)
        case Digest() if avro == "fixed":
            return _bytes(source, wire["size"])
        case Choice(members=members) if avro == "enum":
            known = {str(member.value): member for member in members}
            symbols = enumerate(wire["symbols"])
            return _looked_up(source, {2 * n: known[each] for n, each in symbols if each in known})
        case Record(shape=shape) if avro == "record":
            value = source.variable()
            source.line(f"{value} = {_record(source, wire, shape)}")
            return value
        case Items(of=item) if avro == "array":
            return _items(source, wire["items"], item)
        case Texts() if avro == "map" and wire["values"] == "string":
            return _texts(source)
        case Text() | Number() | Flag() | Digest() | Choice() | Record() | Items() | Texts():
            raise NotCompiled(f"{kind} as {avro}")
        case _ as unreachable:
            assert_never(unreachable)


def _text(source: Source) -> str:
    value = source.variable()
    _length(source)
    source.line("end = at + (n >> 1)")
    source.line(f"{value} = data[at:end].decode()")
    source.line("at = end")
    return value


def _number(source: Source) -> str:
    value = source.variable()
    source.line("n = data[at]")
    source.line("at += 1")
    with source.block("if n > 127:"):
        source.line(f"n, at = {source.name_of(longer)}(data, at, n)")
    source.line(f"{value} = -(n >> 1) - 1 if n & 1 else n >> 1")
    return value


def _length(source: Source) -> None:
    """Reads a length into n, doubled; an odd number would be a negative length."""
    source.line("n = data[at]")
    source.line("at += 1")
    with source.block("if n & 129:"):
        source.line(f"n, at = {source.name_of(longer)}(data, at, n)")
        with source.block("if n & 1:"):
            source.line("raise NotCompiled")


def _looked_up(source: Source, values: Mapping[int, object]) -> str:
    """A value of one byte; any other byte is no key."""
    value = source.variable()
    source.line(f"{value} = {source.name_of(values)}[data[at]]")
    source.line("at += 1")
    return value


def _bytes(source: Source, size: int) -> str:
    value = source.variable()
    source.line(f"{value} = data[at:at + {size}]")
    source.line(f"at += {size}")
    return value


def _items(source: Source, schema: Any, kind: Kind) -> str:
    value = source.variable()
    source.line(f"{value} = []")
    with _one_block(source):
        source.line(f"{value}.append({_value(source, schema, kind)})")
    return f"tuple({value})"


def _texts(source: Source) -> str:
    value = source.variable()
    source.line(f"{value} = {{}}")
    with _one_block(source):
        key = _text(source)
        with source.block(f"if {key} in {value}:"):
            source.line("raise NotCompiled")
        source.line(f"{value}[{key}] = {_text(source)}")
    return value


@contextmanager
def _one_block(source: Source) -> Iterator[None]:
    """Repeats what is added inside for each item of a list or map, and checks its end."""
    _length(source)
    with source.block("if n:"):
        with source.block("for _ in range(n >> 1):"):
            yield
        with source.block("if data[at]:"):
            source.line("raise NotCompiled")
        source.line("at += 1")


def longer(data: bytes, at: int, first: int) -> tuple[int, int]:
    """A number of several bytes, its sign still in the lowest bit, and where it ends.

    `at` is behind its first byte. Most have two to four bytes, and instants eight: no loop for
    these, and sums of at most 30 bits, with which Python is twice as fast.
    """
    second = data[at]
    if second < 128:
        if not second:
            raise NotCompiled
        return first - 128 + (second << 7), at + 1
    third = data[at + 1]
    if third < 128:
        if not third:
            raise NotCompiled
        return first - 16_512 + (second << 7) + (third << 14), at + 2
    fourth = data[at + 2]
    low = first - 2_113_664 + (second << 7) + (third << 14)
    if fourth < 128:
        if not fourth:
            raise NotCompiled
        return low + (fourth << 21), at + 3
    low += (fourth - 128) << 21
    if data[at + 3] < 128:
        high, end = data[at + 3], at + 4
        if not high:
            raise NotCompiled
    else:
        high, end = longer(data, at + 4, data[at + 3])
    number = low | high << 28
    if number >> 64:
        raise NotCompiled
    return number, end

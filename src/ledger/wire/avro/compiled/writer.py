"""Compiles the writer of a schema: meta and body → the bytes that fastavro would write.

What has always the same parts is one tuple, and everything is joined once. The bytes are as in
`ledger.wire.avro.compiled.reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, assert_never

from msgspec import Struct

from ledger.vocabulary.fields import Choice, Digest, Flag, Items, Kind, Number, Record, Text, Texts
from ledger.wire.avro.compiled.source import NotCompiled, Source, paired, without_null

Writer = Callable[[Any, Any], bytes]
"""From meta and body: the bytes. Raises anything for values that are not the usual."""

_FLAGS = {False: b"\x00", True: b"\x01"}


def compiled_writer(schema: Mapping[str, Any], meta: type[Struct], body: type[Struct]) -> Writer:
    """The writer of a class's newest schema."""
    source = Source("meta, body")
    parts = _Parts(source)
    first, *others = schema["fields"]
    source.line("out = []")
    _record(parts, first["type"], meta, "meta")
    _record(parts, {**schema, "fields": others}, body, "body")
    parts.end()
    source.line("return b''.join(out)")
    writer: Writer = source.compiled(f"<writer of {schema['name']}>")
    return writer


def number_bytes(number: int) -> bytes:
    """A number in groups of seven bits. OverflowError beyond 64 bits."""
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError(number)
    rest = (number << 1) ^ (number >> 63)
    groups = bytearray()
    while rest > 127:
        groups.append(rest & 127 | 128)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)


_SMALL = tuple(number_bytes(number) for number in range(4096))
"""Almost all lengths, and most counts. A text with a longer length is left to fastavro."""
_number_bytes = lru_cache(maxsize=16_384)(number_bytes)
"""Instants and prices come again and again: in one event, in the next, in a price list."""


class _Parts:
    """The expressions of bytes that follow one another, until something must be decided."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._pending: list[str] = []

    def add(self, expression: str) -> None:
        """The next bytes."""
        self._pending.append(expression)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is added inside is written only under a condition, or repeatedly."""
        self.end()
        with self.source.block(head):
            yield
            self.end()

    def end(self) -> None:
        """Write out what was added so far."""
        if self._pending:
            self.source.line(f"out += ({', '.join(self._pending)},)")
            self._pending.clear()


def _record(parts: _Parts, kind: Any, shape: type[Struct], value: str) -> None:
    schema = parts.source.resolved(kind)
    for kind_of_field, field in paired(schema, shape):
        optional, present = without_null(kind_of_field, field)
        part = f"{value}.{field.name}"
        if optional:
            _optional(parts, present, field.kind, part)
        else:
            _value(parts, present, field.kind, part)


def _optional(parts: _Parts, schema: Any, kind: Kind, value: str) -> None:
    source, name = parts.source, parts.source.variable()
    if not isinstance(kind, Record | Items | Texts):
        present = " + ".join(_single(source, schema, kind, name))
        parts.add(f"b'\\x00' if ({name} := {value}) is None else b'\\x02' + {present}")
        return
    source.line(f"{name} = {value}")
    with parts.block(f"if {name} is None:"):
        parts.add(r"b'\x00'")
    with parts.block("else:"):
        parts.add(r"b'\x02'")
        _value(parts, schema, kind, name)


def _value(parts: _Parts, schema: Any, kind: Kind, value: str) -> None:
    """Adds a value; `value` is its expression."""
    source, wire = parts.source, parts.source.resolved(schema)
    match kind:
        case Record(shape=shape):
            name = source.variable()
            source.line(f"{name} = {value}")
            _record(parts, wire, shape, name)
        case Items(of=item):
            each = source.variable()
            with _one_block(parts, value, each, "{}"):
                _value(parts, wire["items"], item, each)
        case Texts():
            key, text = source.variable(), source.variable()
            with _one_block(parts, value, f"{key}, {text}", "{}.items()"):
                for one in (key, text):
                    _value(parts, "string", Text(), one)
        case _:
            for expression in _single(source, wire, kind, value):
                parts.add(expression)


def _single(
    source: Source, schema: Any, kind: Text | Number | Flag | Digest | Choice, value: str
) -> tuple[str, ...]:
    """The expressions of a value that has no parts of its own."""
    wire, name = source.resolved(schema), source.variable()
    small = source.name_of(_SMALL)
    match kind:
        case Text():
            return f"{small}[len({name} := {value}.encode())]", name
        case Number():
            longer = source.name_of(_number_bytes)
            few = f"0 <= ({name} := {value}) < {len(_SMALL)}"
            return (f"({small}[{name}] if {few} else {longer}({name}))",)
        case Flag():
            return (f"{source.name_of(_FLAGS)}[{value}]",)
        case Digest():
            return (f"{source.name_of(of_size)}({value}, {wire['size']})",)
        case Choice(members=members):
            places = {symbol: 2 * place for place, symbol in enumerate(wire["symbols"])}
            known = {member: bytes([places[member.value]]) for member in members}
            return (f"{source.name_of(known)}[{value}]",)
        case _ as unreachable:
            assert_never(unreachable)


@contextmanager
def _one_block(parts: _Parts, value: str, each: str, iterated: str) -> Iterator[None]:
    """Repeats what is added inside for each item of a list or map."""
    source, name = parts.source, parts.source.variable()
    source.line(f"{name} = {value}")
    with parts.block(f"if {name}:"):
        parts.add(f"{source.name_of(_SMALL)}[len({name})]")
        with parts.block(f"for {each} in {iterated.format(name)}:"):
            yield
    parts.add(r"b'\x00'")


def of_size(value: bytes, size: int) -> bytes:
    """A value that must have this many bytes."""
    if len(value) != size:
        raise NotCompiled
    return value

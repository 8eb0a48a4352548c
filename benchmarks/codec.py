"""What reading and writing a record costs, by the ways to do it, on the golden bytes.

Run it as `python -m benchmarks.codec`. Every way is checked on the same records before it is timed:
the same values from the same bytes, the same bytes from the same values. `fastavro, checked` is
what a command needs without compiled functions: reading, writing again to prove that the bytes are
the only encoding, and converting.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import msgspec
from msgspec import Struct

from benchmarks import kit
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS
from ledger.wire.avro.compiled.reader import compiled_reader
from ledger.wire.avro.compiled.writer import compiled_writer
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of
from tests.ledger.wire.avro.golden_files import golden_bytes
from tools.program import arguments

NAMES = ("RecordInstanceOrder", "ReturnInstance", "InstanceOrderRecorded", "RefundIssued")
REPEATED = 300


class Sample(Struct, frozen=True, kw_only=True):
    """A golden record of a newest schema, without its frame, and its values."""

    schema: Any
    body: bytes
    shapes: tuple[type[Struct], type[Struct]]
    values: tuple[Any, Any]


def main() -> None:
    """Print and keep the microseconds of every way, for every record."""
    figures = {}
    for name in NAMES:
        sample = sample_of(name)
        print(f"{name}, {len(sample.body)} bytes")
        ways = ways_of(sample)
        timings = kit.interleaved({way: _repeated(work) for way, work in ways.items()})
        figures[name] = {way: timing.microseconds(REPEATED) for way, timing in timings.items()}
        for way, microseconds in figures[name].items():
            print(f"  {way:<28} {microseconds:6.1f} µs")
    kit.keep("codec", settings={"repeated": REPEATED}, figures=figures)


def sample_of(name: str) -> Sample:
    """The golden record of a command or event."""
    family = Family.COMMANDS if name in COMMANDS else Family.EVENTS
    newest = max(versions_of(schema_root(), family, name))
    text = schema_file(schema_root(), family, name, newest).read_text()
    schema = fastavro.parse_schema(json.loads(text.replace('"logicalType"', '"was"')))
    body = golden_bytes()[f"{family}/{name}/{newest}"][10:]
    meta = CommandMeta if family is Family.COMMANDS else EventMeta
    shapes: tuple[Any, Any] = (meta, {**COMMANDS, **EVENTS}[name])
    raw = _read(schema, body)
    values = _converted(raw, shapes)
    return Sample(schema=schema, body=body, shapes=shapes, values=values)


def ways_of(sample: Sample) -> dict[str, Callable[[], object]]:
    """Every way, after a check that it gives what the others give."""
    reader = compiled_reader(sample.schema, *sample.shapes)
    assert reader is not None
    writer = compiled_writer(sample.schema, *sample.shapes)
    meta, body = sample.values
    ways: dict[str, Callable[[], object]] = {
        "read by fastavro": lambda: _converted(_read(sample.schema, sample.body), sample.shapes),
        "read by fastavro, checked": lambda: _checked(sample),
        "read, compiled": lambda: reader(sample.body, 0),
        "written by fastavro": lambda: _write(sample.schema, _raw(meta, body)),
        "written, compiled": lambda: writer(meta, body),
    }
    for name, way in ways.items():
        assert way() == (sample.body if name.startswith("written") else sample.values), name
    return ways


def _repeated(work: Callable[[], object]) -> Callable[[], object]:
    def repeated() -> None:
        for _ in range(REPEATED):
            work()

    return repeated


def _checked(sample: Sample) -> tuple[Any, Any]:
    raw = _read(sample.schema, sample.body)
    assert _write(sample.schema, raw) == sample.body
    return _converted(raw, sample.shapes)


def _read(schema: Any, body: bytes) -> Any:
    return fastavro.schemaless_reader(BytesIO(body), schema, None)


def _converted(raw: Any, shapes: tuple[Any, Any]) -> tuple[Any, Any]:
    meta, body = shapes
    return (
        msgspec.convert(raw.pop("meta"), meta, builtin_types=(bytes,)),
        msgspec.convert(raw, body, builtin_types=(bytes,)),
    )


def _raw(meta: Struct, body: Struct) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(body, builtin_types=(bytes,))
    raw["meta"] = msgspec.to_builtins(meta, builtin_types=(bytes,))
    return raw


def _write(schema: Any, raw: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, raw)
    return out.getvalue()


if __name__ == "__main__":
    arguments(__doc__)
    main()

"""The pages of commands and events: every field with its type, unit and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from ledger.log.seam import Topic
from ledger.vocabulary.commands import COMMANDS, ROLES
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.fields import (
    Choice,
    Digest,
    Field,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    Texts,
    fields_of,
)
from ledger.vocabulary.words import words
from ledger.wire.avro.schema_files import Family, schema_root, versions_of
from tools.reference.codes import codes_judged_for
from tools.reference.words import WRITTEN, docstring_of, paragraph, table

UNITS: dict[str | None, tuple[str, str, str]] = {
    "minor": ("money", "`long`, minor units of `currency`", '`"1413.92"`'),
    "micros": ("price", "`long`, millionths of one unit of `currency`", '`"0.063"`'),
    "usd_cents": ("US dollars", "`long`, US cents", '`"1413.92"`'),
    "instant": ("instant", "`long`, `timestamp-micros`", '`"2026-01-05T08:00:00Z"`, UTC'),
    "day": ("day", "`int`, `date`", '`"2026-01-05"`'),
    None: ("number", "`long`", "`4`"),
}
TEXTS: dict[str | None, tuple[str, str, str]] = {
    "currency": ("currency", "`string`, ISO 4217", '`"CNY"`'),
    "decimal12": ("decimal", "`string`, exact, at most 12 decimals", '`"0.88"`'),
    None: ("text", "`string`", '`"i-1"`'),
}
OTHERS = (
    ("flag", "`boolean`", "`true`"),
    ("digest", "`fixed`, 32 bytes", "64 hexadecimal digits"),
    ("set of names", "`enum`, its default `UNKNOWN` is never written", '`"OWNER"`'),
    ("texts by name", "`map` of `string`", '`{"total": "10.00"}`'),
)
FIELD_HEAD = ("field", "type", "may be absent", "meaning")


def commands_page() -> str:
    """docs/reference/commands.md."""
    said = words()["commands"]
    overview = [(f"[`{name}`](#{name.lower()})", _roles(name), said[name]) for name in COMMANDS]
    sections = [_command(name, said[name]) for name in COMMANDS]
    return "".join(
        (
            "# Commands\n\n",
            WRITTEN,
            paragraph(
                f"Requests that publishers send to `{Topic.COMMANDS}`. Each is decided once, and",
                "the result is one or more [events](events.md); a refusal is an event too. SUPPORT",
                "may act for OWNER and BUYER.",
            ),
            table(("command", "given by", "what it asks for"), overview),
            *("\n", _legend(), _meta(CommandMeta), *sections),
            _parts([CommandMeta, *COMMANDS.values()]),
        )
    )


def events_page() -> str:
    """docs/reference/events.md."""
    said = words()["events"]
    overview = [(f"[`{name}`](#{name.lower()})", said[name]) for name in EVENTS]
    sections = [_section(Family.EVENTS, name, EVENTS[name], said[name]) for name in EVENTS]
    return "".join(
        (
            "# Events\n\n",
            WRITTEN,
            paragraph(
                f"Facts on `{Topic.EVENTS}`, written once and never changed. An event that",
                "moves money has its `postings`.",
            ),
            table(("event", "what happened"), overview),
            *("\n", _legend(), _meta(EventMeta), *sections),
            _parts([EventMeta, *EVENTS.values()]),
        )
    )


def _roles(name: str) -> str:
    return ", ".join(sorted(role.value for role in ROLES[COMMANDS[name]]))


def _command(name: str, said: str) -> str:
    given = f"Sent by {_roles(name)}."
    codes = ", ".join(f"`{code}`" for code in codes_judged_for(name))
    judged = paragraph(
        "After [the stoppers](codes.md#stoppers) these codes are checked:",
        f"{codes}.",
    ).rstrip()
    return _section(Family.COMMANDS, name, COMMANDS[name], f"{said} {given}\n\n{judged}")


def _legend() -> str:
    optional = paragraph(
        "A field that may be absent is a union with `null` in Avro, or has a default there;",
        "in JSON",
        "(files, command line) it is left out.",
    )
    rows = [*UNITS.values(), *TEXTS.values(), *OTHERS]
    return f"## Types\n\n{optional}{table(('type', 'in Avro', 'in JSON'), rows)}\n"


def _meta(meta: type[Struct]) -> str:
    first = f"The first field of every record, a `{meta.__name__}`."
    return f"## meta\n\n{first}\n\n{docstring_of(meta)}\n\n{_fields(meta)}\n"


def _section(family: Family, name: str, body: type[Struct], said: str) -> str:
    newest = max(versions_of(schema_root(), family, name))
    schema = f"[Schema, version {newest}](../../schemas/{family}/{name}/{newest}.avsc)"
    own = docstring_of(body)
    told = f"{said}\n\n{own}" if own and own not in said else said
    return f"## {name}\n\n{told}\n\n{schema}.\n\n" + _fields(body) + "\n"


def _fields(shape: type[Struct]) -> str:
    return table(FIELD_HEAD, [_row(shape, field) for field in fields_of(shape)])


def _row(shape: type[Struct], field: Field) -> tuple[str, ...]:
    absent = "" if field.required else ("yes" if field.optional else f"yes: {_default(field)}")
    said = words()["own"].get(f"{shape.__name__}.{field.name}", words()["fields"][field.name])
    return f"`{field.name}`", _type(field.kind), absent, said


def _default(field: Field) -> str:
    match field.default:
        case ():
            return "none"
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case other:
            return f"`{other}`"


def _type(kind: Kind) -> str:
    match kind:
        case Text(unit=unit):
            return TEXTS[unit][0]
        case Number(unit=unit):
            return UNITS[unit][0]
        case Flag():
            return "flag"
        case Digest():
            return "digest"
        case Choice(members=members):
            return f"[{members.__name__}](#{members.__name__.lower()})"
        case Record(shape=shape):
            return f"[{shape.__name__}](#{shape.__name__.lower()})"
        case Items(of=item):
            return f"list of {_type(item)}"
        case Texts():
            return "texts by name"
        case _:
            assert_never(kind)


def _parts(bodies: Iterable[type[Struct]]) -> str:
    """The records and the closed sets that the fields above are made of."""
    records: dict[str, type[Struct]] = {}
    sets: dict[str, type[StrEnum]] = {}
    for body in bodies:
        for found in _used(body):
            if issubclass(found, Struct):
                records.setdefault(found.__name__, found)
            else:
                sets.setdefault(found.__name__, found)
    told = [
        f"### {name}\n\n{docstring_of(shape)}\n\n{_fields(shape)}\n"
        for name, shape in sorted(records.items())
    ]
    named = [
        f"### {name}\n\n{docstring_of(members)}\n\n"
        + ", ".join(f"`{member.value}`" for member in members) + ".\n\n"
        for name, members in sorted(sets.items())
    ]  # fmt: skip
    return f"## Records\n\n{''.join(told)}## Sets of names\n\n{''.join(named)}".rstrip() + "\n"


def _used(shape: type[Struct]) -> Iterator[type[Struct] | type[StrEnum]]:
    """Every record and set of names below a record."""
    for field in fields_of(shape):
        kind = field.kind
        while isinstance(kind, Items):
            kind = kind.of
        match kind:
            case Record(shape=inner):
                yield inner
                yield from _used(inner)
            case Choice(members=members):
                yield members

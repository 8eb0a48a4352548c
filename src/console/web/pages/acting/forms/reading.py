"""Reads the fields of a form into a command's body as JSON: `lines[0].paid.cash` by its path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ledger.vocabulary.fields import Flag, Items, Kind, Number, Record, Text, fields_of
from ledger.vocabulary.validation import MAX_ITEMS

Json = dict[str, Any]
Tree = dict[str, Any]
"""Texts by the parts of their paths; the index of an item is a part too."""

_PATH = re.compile(r"[a-z_]+(\[\d{1,4}\])?(\.[a-z_]+(\[\d{1,4}\])?){0,5}")
_PART = re.compile(r"[a-z_]+|\d+")
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


def body_of(shape: type[Struct], form: Mapping[str, str]) -> Json:
    """What was typed for the fields of a class; what was left empty is left out."""
    return _record(shape, _tree(form.items()))


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A body as the fields of a form, in order: what `body_of` reads."""
    match value:
        case dict():
            for name, part in value.items():
                yield from flat(part, f"{path}.{name}" if path else name)
        case list() | tuple():
            for index, part in enumerate(value):
                yield from flat(part, f"{path}[{index}]")
        case None:
            return
        case bool():
            yield path, "yes" if value else "no"
        case _:
            yield path, str(value)


def _tree(form: Iterable[tuple[str, str]]) -> Tree:
    tree: Tree = {}
    for path, text in form:
        if not _PATH.fullmatch(path):
            continue
        *parents, last = _PART.findall(path)
        place = tree
        for part in parents:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        place.setdefault(last, text)
    return tree


def _record(shape: type[Struct], tree: Tree) -> Json:
    found = {
        field.name: _value(field.kind, tree[field.name])
        for field in fields_of(shape)
        if field.name in tree
    }
    told = {name: value for name, value in found.items() if value is not None}
    return {**_when_empty(shape), **told}


def _when_empty(shape: type[Struct]) -> Json:
    """A box that is not ticked says no, and a list without items is an empty one."""
    required = [field for field in fields_of(shape) if field.required]
    return {field.name: False for field in required if isinstance(field.kind, Flag)} | {
        field.name: [] for field in required if isinstance(field.kind, Items)
    }


def _value(kind: Kind, typed: Any) -> Any:
    match kind:
        case Record(shape=shape) if isinstance(typed, dict):
            return _unless_blank(_record(shape, typed))
        case Items(of=inner) if isinstance(typed, dict):
            indexes = sorted((each for each in typed if each.isdecimal()), key=int)[:MAX_ITEMS]
            items = (_value(inner, typed[index]) for index in indexes)
            return [item for item in items if item is not None]
        case Flag():
            return typed == "yes"
        case Number(unit=None) if isinstance(typed, str) and _WHOLE.fullmatch(typed.strip()):
            return int(typed)
        case Text(unit=None) if isinstance(typed, str):
            return typed or None
        case _ if isinstance(typed, str):
            return typed.strip() or None
        case _:
            return None


def _unless_blank(record: Json) -> Json | None:
    said = [value for value in record.values() if value is not False and value != []]
    return record if said else None

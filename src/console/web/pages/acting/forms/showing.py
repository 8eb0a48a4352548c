"""Shows the fields of a command as controls of a form, filled with what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.web.pages.rendering.tables import words_of
from ledger.values.money import CURRENCY_DIGITS
from ledger.vocabulary.fields import (
    Choice,
    Field,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    fields_of,
)
from ledger.vocabulary.validation import TERM_MONTHS
from ledger.vocabulary.words import sentence_of

Json = dict[str, Any]
_CHOICES = {"currency": tuple(sorted(CURRENCY_DIGITS))}
_FIELD_CHOICES = {"term_months": tuple(map(str, TERM_MONTHS))}
_PROSE = frozenset({"note", "reason"})
_UNITS = {
    "instant": ("2026-01-05T08:00:00Z", ""),
    "day": ("2026-01-05", ""),
    "minor": ("1413.92", "decimal"),
    "micros": ("0.063", "decimal"),
    "usd_cents": ("1413.92", "decimal"),
    None: ("", "numeric"),
}
"""Unit → an example, and the keyboard that a telephone shows."""


class Control(Struct, frozen=True, kw_only=True):
    """One field of a form. `kind` says how it is shown: text, prose, choice, flag, record, list.

    `wrong` is why what was typed cannot be taken. `parts` are the fields of a record, or the items
    of a list, which have a number.
    """

    path: str
    words: str
    help: str
    kind: str
    required: bool
    value: str = ""
    wrong: str = ""
    example: str = ""
    keyboard: str = ""
    options: tuple[str, ...] = ()
    parts: tuple[Control, ...] = ()
    number: int = 0

    @property
    def last(self) -> str:
        """The name of the field itself."""
        return self.path.rpartition(".")[2]


class Filled(Struct, frozen=True, kw_only=True):
    """What fills a form: the values, what is wrong by path, and lists that get one more item."""

    faults: Mapping[str, str] = {}
    more: str = ""


def controls_of(
    shape: type[Struct], told: Json, filled: Filled, left_out: frozenset[str] = frozenset()
) -> tuple[Control, ...]:
    """The controls of a class, without the fields that are left out."""
    return tuple(
        _control(shape, field, told.get(field.name), field.name, filled)
        for field in fields_of(shape)
        if field.name not in left_out
    )


def _control(shape: type[Struct], field: Field, told: Any, path: str, filled: Filled) -> Control:
    control = Control(
        path=path,
        words=words_of(field.name),
        help=sentence_of(shape.__name__, field.name),
        kind="text",
        required=field.required,
        wrong=filled.faults.get(path, ""),
    )
    return _of_kind(control, field.kind, told, filled)


def _of_kind(control: Control, kind: Kind, told: Any, filled: Filled) -> Control:
    match kind:
        case Record(shape=shape):
            inner = told if isinstance(told, dict) else {}
            parts = tuple(
                _control(shape, each, inner.get(each.name), f"{control.path}.{each.name}", filled)
                for each in fields_of(shape)
            )
            return replace(control, kind="record", parts=parts)
        case Items(of=inner):
            return replace(control, kind="list", parts=_items(control, inner, told, filled))
        case Flag():
            return replace(control, kind="flag", required=False, value="yes" if told else "")
        case Choice(members=members):
            return _choice(control, tuple(member.value for member in members), told)
        case Text(unit=str() as unit) if unit in _CHOICES:
            return _choice(control, _CHOICES[unit], told)
        case Number() if control.last in _FIELD_CHOICES:
            return _choice(control, _FIELD_CHOICES[control.last], told)
        case Text(unit="decimal12"):
            return replace(control, value=_text(told), example="0.88", keyboard="decimal")
        case Number(unit=unit):
            example, keyboard = _UNITS[unit]
            return replace(control, value=_text(told), example=example, keyboard=keyboard)
        case _:
            shown = "prose" if control.last in _PROSE else "text"
            return replace(control, kind=shown, value=_text(told))


def _items(control: Control, inner: Kind, told: Any, filled: Filled) -> tuple[Control, ...]:
    """The items that were typed, one empty one where there is none, and one more where asked."""
    items = told if isinstance(told, list) else []
    count = len(items) + (filled.more == control.path)
    if control.required:
        count = max(count, 1)
    return tuple(
        _of_kind(
            Control(
                path=(path := f"{control.path}[{index}]"),
                words=control.words,
                number=index + 1,
                help="",
                kind="text",
                required=control.required and index == 0,
                wrong=filled.faults.get(path, ""),
            ),
            inner,
            items[index] if index < len(items) else None,
            filled,
        )
        for index in range(count)
    )


def _choice(control: Control, options: tuple[str, ...], told: Any) -> Control:
    value = _text(told)
    known = value if value in options else ""
    return replace(control, kind="choice", value=known, options=options)


def _text(told: Any) -> str:
    return "" if told is None or isinstance(told, dict | list | bool) else str(told)

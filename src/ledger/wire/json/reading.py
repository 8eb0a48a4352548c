"""Reads commands from plain JSON, from files, the command line and HTTP.

Every field is read by the type that its class declares; an error has the path, what was found and
what was expected. Floats are never read: amounts and rates are decimal strings.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeGuard, assert_never

from msgspec import Struct

from ledger.values.instants import parse_day, parse_instant
from ledger.values.money import CURRENCY_DIGITS, Currency, parse_micros, parse_minor
from ledger.values.wording import Wording, seen, worded
from ledger.vocabulary.commands import Command
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

MOST_PROBLEMS = 100
"""So many are told of one command: a megabyte can have a million, each longer than what it says."""


class FieldProblem(Exception):
    """One field of a command that cannot be read: its path, its value, the expected value."""

    def __init__(self, path: str, value: str, expected: Wording) -> None:
        super().__init__(f"{path}: {value}, expected {expected}")
        self.path = path
        self.value = value
        self.expected = expected


def command_body_from_json(kind: type[Command], raw: object, currency: Currency | None) -> Command:
    """A command's body; `currency` is the account's, if known. Raises the first FieldProblem."""
    body, problems = read_command_body(kind, raw, currency)
    if body is None:
        raise problems[0]
    return body


def read_command_body(
    kind: type[Command], raw: object, currency: Currency | None
) -> tuple[Command | None, tuple[FieldProblem, ...]]:
    """A command's body, or its problems, at most MOST_PROBLEMS of them.

    A bare amount is in the account's currency, or in the body's own `currency`; `{amount,
    currency}` gives it explicitly. An amount in another currency than the account's is a problem.
    """
    reader = _Reader(currency)
    if has_money(kind) and isinstance(raw, Mapping):
        raw = reader.settle_currency(raw, kind)
    body = reader.record(kind, raw, "")
    return (None, tuple(reader.problems)) if reader.problems else (body, ())


@cache
def has_money(shape: type[Struct]) -> bool:
    """Whether a value of the class can have an amount or a price in the account's currency."""
    return any(_is_money(field.kind) for field in fields_of(shape))


def shown(value: object) -> str:
    """A JSON value for a message, shortened if it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:  # nested less deep than can be read, and deeper than can be written
        return "a value that is nested too deep"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def one_of(names: Iterable[str], given: str = "") -> Wording:
    """One of the names; and which was meant, if one is similar to what was given."""
    known = list(names)
    return or_near(worded("one of {these}", these=", ".join(known)), given, known)


def or_near(what: Wording, given: str, known: Sequence[str]) -> Wording:
    """What is expected, and the known name that is similar to what was given, if one is."""
    near = difflib.get_close_matches(given, known, n=1)
    return worded("{what}; did you mean {near}?", what=what, near=repr(near[0])) if near else what


_CURRENCY_KNOWN = worded(
    "the account's currency to be known, from an OpenAccount line above or the running ledger, "
    'or {{"amount": ..., "currency": ...}}'
)
_CURRENCY_CODE = worded("an ISO 4217 currency code")
_WRONG: Final[Any] = object()
"""Used in place of a value that could not be read; the reader has its problem."""


class _Reader:
    """Reads one body and collects problems; a value with a problem becomes `_WRONG`."""

    def __init__(self, currency: Currency | None) -> None:
        self.account_currency = currency
        self.currency = currency
        self.problems: list[FieldProblem] = []

    def settle_currency(self, raw: Mapping[Any, Any], kind: type[Command]) -> Mapping[Any, Any]:
        """Find the currency of the body's amounts, and set it if the body has a field for it."""
        own = raw.get("currency")
        if _is_currency(own):
            self._of_account(own, "currency")
        amounts = list(_amounts(kind, raw, ""))
        for path, value in amounts:
            said = value.get("currency") if isinstance(value, Mapping) else None
            if _is_currency(said):
                self._of_account(said, f"{path}.currency")
        settled = own if own is not None else self.currency
        needed = any(field.name == "currency" and field.required for field in fields_of(kind))
        if settled is None and needed and not amounts:
            self._fail("currency", seen("nothing"), _CURRENCY_CODE)
        if settled is None and (needed or amounts):
            return {**raw, "currency": _WRONG}
        return {**raw, "currency": settled} if needed or amounts else raw

    def record(self, shape: type[Struct], raw: object, path: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._fail(path, shown(raw), _object_of(shape))
        fields = fields_of(shape)
        names = [field.name for field in fields]
        for name in raw:
            if name not in names and not self._told_enough:
                expected = one_of(names, str(name))
                self._fail(_dotted(path, str(name)), seen("unknown field"), expected)
        values = {
            field.name: self._field(field, raw, _dotted(path, field.name))
            for field in fields
            if field.required or raw.get(field.name) is not None
        }
        wrong = any(value is _WRONG for value in values.values())
        return _WRONG if wrong else shape(**values)

    def _field(self, field: Field, raw: Mapping[Any, Any], path: str) -> Any:
        value = raw.get(field.name)
        if value is _WRONG:
            return _WRONG
        if value is None:
            return self._fail(path, seen("nothing"), _expected(field.kind))
        return self._value(field.kind, value, path)

    def _value(self, kind: Kind, value: object, path: str) -> Any:
        match kind:
            case Number(unit="minor" | "micros" as unit):
                return self._money(unit, value, path)
            case Record(shape=shape):
                return self.record(shape, value, path)
            case Items(of=inner):
                return self._items(inner, value, path)
            case _:
                return self._plain(kind, value, path)

    def _items(self, inner: Kind, value: object, path: str) -> Any:
        if not isinstance(value, list):
            return self._fail(path, shown(value), worded("a list"))
        items = tuple(
            _WRONG if self._told_enough else self._value(inner, item, f"{path}[{index}]")
            for index, item in enumerate(value)
        )
        return _WRONG if any(item is _WRONG for item in items) else items

    def _plain(self, kind: Kind, value: object, path: str) -> Any:
        try:
            return _plain_value(kind, value)
        except _Unfit as unfit:
            return self._fail(path, shown(value), unfit.expected or _expected(kind))

    def _money(self, unit: str, value: object, path: str) -> Any:
        expected = _expected(Number(unit=unit))
        if isinstance(value, Mapping):
            return self._money_outright(unit, value, path)
        if not isinstance(value, str):
            return self._fail(path, shown(value), expected)
        if self.currency is None:
            return self._fail(path, shown(value), _CURRENCY_KNOWN)
        try:
            return parse_micros(value) if unit == "micros" else parse_minor(value, self.currency)
        except ValueError as error:
            told = worded("{what} ({why})", what=expected, why=error)
            return self._fail(path, shown(value), told)

    def _money_outright(self, unit: str, value: Mapping[Any, Any], path: str) -> Any:
        if set(value) != {"amount", "currency"}:
            exactly = worded('exactly {{"amount": ..., "currency": ...}}')
            return self._fail(path, shown(value), exactly)
        if not _is_currency(value["currency"]):
            found = shown(value["currency"])
            return self._fail(f"{path}.currency", found, _CURRENCY_CODE)
        if isinstance(value["amount"], Mapping):
            return self._fail(f"{path}.amount", shown(value["amount"]), worded("a decimal string"))
        return self._money(unit, value["amount"], f"{path}.amount")

    def _of_account(self, said: Currency, path: str) -> None:
        if self.currency is None:
            self.currency = said
        elif said != self.currency:
            own = repr(self.currency)
            self._fail(
                path,
                shown(said),
                worded("{currency}, the account's currency", currency=own)
                if self.account_currency
                else worded("{currency}, one currency for all", currency=own),
            )

    def _fail(self, path: str, found: str, expected: Wording) -> Any:
        if not self._told_enough:
            self.problems.append(FieldProblem(path, found, expected))
        return _WRONG

    @property
    def _told_enough(self) -> bool:
        return len(self.problems) >= MOST_PROBLEMS


class _Unfit(Exception):
    """The value has another type; it may say more exactly what was expected."""

    def __init__(self, expected: Wording | None = None) -> None:
        super().__init__(expected)
        self.expected = expected


def _plain_value(kind: Kind, value: object) -> object:
    match kind:
        case Text() if isinstance(value, str):
            return value
        case Flag() if isinstance(value, bool):
            return value
        case Choice(members=members) if isinstance(value, str):
            return _member(members, value)
        case Number(unit="instant") if isinstance(value, str):
            return _parsed(parse_instant, value)
        case Number(unit="day") if isinstance(value, str):
            return _parsed(parse_day, value)
        case Number(unit="usd_cents") if isinstance(value, str):
            return _parsed(_parse_cents, value)
        case Number(unit=None) if isinstance(value, int) and not isinstance(value, bool):
            return value
        case _:
            raise _Unfit


def _member(members: Any, value: str) -> object:
    names = [member.value for member in members]
    if value not in names:
        raise _Unfit(one_of(names, value))
    return members(value)


def _parsed(parse: Callable[[str], int], value: str) -> int:
    try:
        return parse(value)
    except ValueError as error:
        raise _Unfit from error


def _parse_cents(value: str) -> int:
    return parse_minor(value, "USD")


def _expected(kind: Kind) -> Wording:
    match kind:
        case Text(unit="currency"):
            return _CURRENCY_CODE
        case Text(unit="decimal12"):
            return worded('a decimal string such as "0.88"')
        case Text() | Digest():
            return worded("a string")
        case Flag():
            return worded("true or false")
        case Choice(members=members):
            return one_of(member.value for member in members)
        case Number(unit="instant"):
            return worded('an instant such as "2026-01-05T08:00:00Z"')
        case Number(unit="day"):
            return worded('a day such as "2026-01-05"')
        case Number(unit="minor"):
            return worded('an amount as a decimal string such as "1413.92"')
        case Number(unit="usd_cents"):
            return worded('US dollars as a decimal string such as "1413.92"')
        case Number(unit="micros"):
            return worded('a price as a decimal string such as "0.063"')
        case Number():
            return worded("a whole number")
        case Record(shape=shape):
            return _object_of(shape)
        case Items():
            return worded("a list")
        case Texts():
            return worded("an object of strings")
        case _:
            assert_never(kind)


def _object_of(shape: type[Struct]) -> Wording:
    return worded("an object with the fields of {record}", record=shape.__name__)


def _amounts(shape: type[Struct], raw: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every amount and price in a raw value, with its path."""
    if not isinstance(raw, Mapping):
        return
    for field in fields_of(shape):
        value = raw.get(field.name)
        if value is not None:
            yield from _amounts_in(field.kind, value, _dotted(path, field.name))


def _amounts_in(kind: Kind, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(kind, Number):
        if _is_money(kind):
            yield path, value
    elif isinstance(kind, Record):
        yield from _amounts(kind.shape, value, path)
    elif isinstance(kind, Items) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _amounts_in(kind.of, item, f"{path}[{index}]")


def _is_money(kind: Kind) -> bool:
    match kind:
        case Number(unit="minor" | "micros"):
            return True
        case Record(shape=shape):
            return has_money(shape)
        case Items(of=inner):
            return _is_money(inner)
        case _:
            return False


def _is_currency(value: object) -> TypeGuard[Currency]:
    return isinstance(value, str) and value in CURRENCY_DIGITS


def _dotted(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

"""Checks whether a command's values are possible, independent of its sender and of the rules.

The rules of the ledger are not checked here: a command that passes can still be refused, and one
that fails is malformed. The checks are built once per class, because every command that arrives is
checked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, assert_never

from msgspec import Struct

from ledger.values.instants import EARLIEST, LATEST, parse_day, parse_instant
from ledger.values.money import CURRENCY_DIGITS, MAX_MICROS, MAX_MINOR, parse_decimal12
from ledger.values.wording import Wording, seen, worded
from ledger.vocabulary.brought_along import (
    Fault,
    position_faults,
    purchase_faults,
    reservation_faults,
)
from ledger.vocabulary.commands import (
    Command,
    DowngradeInstance,
    ExchangeReservations,
    OpenCommitmentTerm,
    QuoteInstanceDowngrade,
    QuoteReservationExchange,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
)
from ledger.vocabulary.envelope import FIRST_EDITION, NEWEST_EDITION, GivenCommand
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
from ledger.vocabulary.shapes import (
    Component,
    NewReservation,
    OrderKind,
    OrderLine,
    Payment,
    PaymentMethod,
)

MAX_TEXT = 200
MAX_PROSE = 2000
MAX_ITEMS = 1000
MAX_COUNT = 10**9
MAX_USD_RATE = 100
TERM_MONTHS = (12, 36)
LAST_DAY = parse_day("9999-12-31")
LAST_BEGINNING_DAY = parse_day("9989-12-31")
LAST_BEGINNING = parse_instant("9989-12-31T23:59:59Z")
"""Fields after which a term is counted: the term must end before the calendar does."""

_BEGINNINGS = frozenset({"starts_at", "starts_on", "delivered_at", "purchased_at", "sandbox_at"})
_PROSE = frozenset({"note", "reason"})
_MAY_BE_EMPTY = frozenset({"duration_discounts", "cap_uses", "held_credits"})
_MAY_BE_NEGATIVE = frozenset({(ExchangeReservations, "confirmed_amount")})
_LEAST = {"quantity": 1, "from_months": 1, "attempt": 1, "key_number": 1}
_FACTOR = worded("a decimal above 0 and at most 1, such as 0.88")
_EXACT_FACTOR = worded("a decimal above 0 and at most 1, such as 0.88, with at most 12 decimals")
_RATE = worded("a decimal above 0 and at most {most}", most=MAX_USD_RATE)
_EXACT_RATE = worded(
    "a decimal above 0 and at most {most}, with at most 12 decimals", most=MAX_USD_RATE
)


class Problem(Struct, frozen=True, kw_only=True):
    """A problem of one field: its path (`lines[0].paid.cash`), its value, the expected value."""

    path: str
    value: str
    expected: Wording


Check = Callable[[Any], Sequence[Problem]]


def problems_of(command: GivenCommand, edition: int = NEWEST_EDITION) -> tuple[Problem, ...]:
    """All problems of a command's values; empty if the rules can decide it.

    Values that an earlier edition accepted are no problem in a command that was decided then.
    """
    meta = _all_of(type(command.meta))(command.meta)
    body = body_problems(command.body, edition)
    return (*_under("meta", meta), *body) if meta or body else ()


def body_problems(body: Command, edition: int = NEWEST_EDITION) -> tuple[Problem, ...]:
    """All problems of a command's body."""
    found = tuple(_all_of(type(body))(body))
    if found or edition == FIRST_EDITION or not isinstance(body, RecordMarketplacePurchase):
        return found
    return tuple(_purchase(body))


def _purchase(purchase: RecordMarketplacePurchase) -> Sequence[Problem]:
    """Not in the first edition: nobody buys from himself."""
    if purchase.vendor_id == purchase.buyer_id:
        return _named("vendor_id", purchase.vendor_id, worded("another id than buyer_id"))
    return ()


@cache
def _all_of(shape: type[Struct]) -> Check:
    """Every check of a value class: field by field, then between the fields."""
    singles = tuple(
        (field.name, judge)
        for field in fields_of(shape)
        if (judge := _of_kind(shape, field.name, field.kind, required=field.required))
    )
    between = _between(shape)

    def check(value: Any) -> Sequence[Problem]:
        found: list[Problem] = []
        for name, judge in singles:
            part = getattr(value, name)
            if part is not None and (problems := judge(part)):
                found += _under(name, problems)
        return found or (between(value) if between else ())

    return check


def _of_kind(shape: type[Struct], name: str, kind: Kind, *, required: bool) -> Check | None:
    match kind:
        case Text(unit="currency"):
            return _currency
        case Text(unit="decimal12"):
            return _factor if name == "factor" else _rate
        case Text():
            return _prose(least=int(required)) if name in _PROSE else _text
        case Number(unit=unit):
            return _number(*_range(shape, name, unit))
        case Flag() | Choice() | Digest() | Texts():
            return None
        case Record(shape=inner):
            return _all_of(inner)
        case Items(of=inner_kind):
            each = _of_kind(shape, name, inner_kind, required=True)
            assert each is not None, "no command lists what can not be out of range"
            return _items(each, least=0 if name in _MAY_BE_EMPTY else 1)
        case _ as unreachable:
            assert_never(unreachable)


def _range(shape: type[Struct], name: str, unit: str | None) -> tuple[int, int, Wording]:
    year = 9989 if name in _BEGINNINGS else 9999
    match unit:
        case "instant":
            most = LAST_BEGINNING if name in _BEGINNINGS else LATEST
            return EARLIEST, most, worded("an instant from 1970 to {year}", year=year)
        case "day":
            most = LAST_BEGINNING_DAY if name in _BEGINNINGS else LAST_DAY
            return 0, most, worded("a day from 1970 to {year}", year=year)
        case "usd_cents":
            return 0, MAX_MINOR, worded("an amount from 0 to {most} US cents", most=MAX_MINOR)
        case "minor":
            least = -MAX_MINOR if (shape, name) in _MAY_BE_NEGATIVE else 0
            said = worded(
                "an amount from {least} to {most} minor units", least=least, most=MAX_MINOR
            )
            return least, MAX_MINOR, said
        case "micros":
            units = MAX_MICROS // 10**6
            return 0, MAX_MICROS, worded("a price from 0 to {most} a unit", most=units)
        case _:
            least = _LEAST.get(name, 0)
            said = worded("a whole number from {least} to {most}", least=least, most=MAX_COUNT)
            return least, MAX_COUNT, said


def _number(least: int, most: int, expected: Wording) -> Check:
    return lambda value: () if least <= value <= most else _wrong(value, expected)


def _text(value: str) -> Sequence[Problem]:
    if 0 < len(value) <= MAX_TEXT and (value.isprintable() or not _has_control(value)):
        return ()
    return _wrong(value, worded("1 to {most} characters without control characters", most=MAX_TEXT))


def _prose(least: int) -> Check:
    def check(value: str) -> Sequence[Problem]:
        plain = value.translate({ord("\n"): " ", ord("\t"): " ", ord("\r"): " "})
        if least <= len(value) <= MAX_PROSE and not _has_control(plain):
            return ()
        return _wrong(
            value,
            worded("{least} to {most} characters of plain text", least=least, most=MAX_PROSE),
        )

    return check


def _currency(value: str) -> Sequence[Problem]:
    if value in CURRENCY_DIGITS:
        return ()
    return _wrong(value, worded("an ISO 4217 currency code"))


def _factor(value: str) -> Sequence[Problem]:
    return _decimal(value, most=1, expected=_FACTOR, exactly=_EXACT_FACTOR)


def _rate(value: str) -> Sequence[Problem]:
    return _decimal(value, most=MAX_USD_RATE, expected=_RATE, exactly=_EXACT_RATE)


@lru_cache(maxsize=256)
def _decimal(value: str, *, most: int, expected: Wording, exactly: Wording) -> Sequence[Problem]:
    try:
        exact = parse_decimal12(value)
    except ValueError:
        return _wrong(value, exactly)
    return () if 0 < exact <= most else _wrong(value, expected)


def _items(each: Check, least: int) -> Check:
    def check(values: tuple[Any, ...]) -> Sequence[Problem]:
        if not least <= len(values) <= MAX_ITEMS:
            return _wrong(
                seen("{count} items", count=len(values)),
                worded("{least} to {most} items", least=least, most=MAX_ITEMS),
            )
        found: list[Problem] = []
        for index, value in enumerate(values):
            if problems := each(value):
                found += _under(f"[{index}]", problems)
        return found

    return check


def _between(shape: type[Struct]) -> Check | None:
    """What must hold between the fields of a class, if anything."""
    checks: dict[type[Struct], Check] = {
        RecordInstanceOrder: _order,
        OpenCommitmentTerm: _commitment_term,
        RecordOpeningPosition: _told(position_faults),
        RecordMarketplacePurchase: _told(purchase_faults),
        RecordReservationPurchase: _bought,
        NewReservation: _reservation,
        QuoteReservationExchange: _exchange,
        ExchangeReservations: _exchange,
        Payment: _payment,
        Component: _component,
        OrderLine: _discounts,
        RecordInstanceUpgrade: _discounts,
        QuoteInstanceDowngrade: _discounts,
        DowngradeInstance: _discounts,
    }
    if shape in checks:
        return checks[shape]
    currency = next((field for field in fields_of(shape) if field.name == "currency"), None)
    return _money_has_currency if currency is not None and currency.optional else None


def _order(order: RecordInstanceOrder) -> Sequence[Problem]:
    found: list[Problem] = []
    if order.ends_at <= order.starts_at:
        found += _named("ends_at", order.ends_at, worded("an instant after starts_at"))
    if order.delivered_at is not None and order.kind is OrderKind.RENEWAL:
        none = worded("nothing: a RENEWAL has no delivery")
        found += _named("delivered_at", order.delivered_at, none)
    elif order.delivered_at is not None and not found and order.delivered_at >= order.ends_at:
        earlier = worded("an instant before ends_at")
        found += _named("delivered_at", order.delivered_at, earlier)
    ids = [line.instance_id for line in order.lines]
    return found + _repeated(ids, "lines[{}].instance_id", worded("an instance once in an order"))


_Priced = OrderLine | RecordInstanceUpgrade | QuoteInstanceDowngrade | DowngradeInstance


def _discounts(priced: _Priced) -> Sequence[Problem]:
    months = [discount.from_months for discount in priced.duration_discounts]
    return _ascending(months, "duration_discounts[{}].from_months")


def _component(component: Component) -> Sequence[Problem]:
    hours = [step.from_hours for step in component.payg]
    if hours[0] != 0:
        return _named("payg[0].from_hours", hours[0], worded("0: the ladder starts at hour 0"))
    return _ascending(hours, "payg[{}].from_hours")


def _commitment_term(term: OpenCommitmentTerm) -> Sequence[Problem]:
    if term.ends_on <= term.starts_on:
        return _named("ends_on", term.ends_on, worded("a day after starts_on"))
    return ()


def _reservation(bought: RecordReservationPurchase | NewReservation) -> Sequence[Problem]:
    found: list[Problem] = []
    if bought.term_months not in TERM_MONTHS:
        found += _named("term_months", bought.term_months, worded("12 or 36"))
    if bought.total == 0:
        found += _named("total", bought.total, worded("an amount above 0"))
    return found


def _bought(bought: RecordReservationPurchase) -> Sequence[Problem]:
    return _reservation(bought) or _told(reservation_faults)(bought)


def _told(faults: Callable[[Any], Iterable[Fault]]) -> Check:
    return lambda value: [
        problem
        for name, found, expected in faults(value)
        for problem in _named(name, found, expected)
    ]


def _payment(payment: Payment) -> Sequence[Problem]:
    match payment.method:
        case PaymentMethod.COMMITMENT if payment.term_id is None:
            return _named("term_id", seen("nothing"), worded("the commitment term that paid"))
        case PaymentMethod.CARD if payment.card_id is None:
            return _named("card_id", seen("nothing"), worded("the card that paid"))
        case _:
            return ()


def _exchange(exchange: QuoteReservationExchange | ExchangeReservations) -> Sequence[Problem]:
    ids = [bought.reservation_id for bought in exchange.purchases]
    return _repeated(ids, "purchases[{}].reservation_id", worded("a new reservation id once"))


def _money_has_currency(body: Any) -> Sequence[Problem]:
    if body.currency is None and body.confirmed_amount is not None:
        return _named("currency", seen("nothing"), worded("the currency of confirmed_amount"))
    return ()


def _ascending(numbers: Sequence[int], path: str) -> list[Problem]:
    return [
        problem
        for index in range(1, len(numbers))
        if numbers[index] <= numbers[index - 1]
        for problem in _named(
            path.format(index), numbers[index], worded("above {number}", number=numbers[index - 1])
        )
    ]


def _repeated(ids: Sequence[str], path: str, expected: Wording) -> list[Problem]:
    if len(set(ids)) == len(ids):
        return []
    return [
        problem
        for index, one in enumerate(ids)
        if one in ids[:index]
        for problem in _named(path.format(index), one, expected)
    ]


def _wrong(value: object, expected: Wording) -> tuple[Problem, ...]:
    shown = str(value)[:60]
    plain = shown if shown.isprintable() else ascii(shown)[1:-1]
    return (Problem(path="", value=plain, expected=expected),)


def _named(name: str, value: object, expected: Wording) -> tuple[Problem, ...]:
    return tuple(_under(name, _wrong(value, expected)))


def _under(name: str, problems: Iterable[Problem]) -> list[Problem]:
    return [
        Problem(path=_joined(name, one.path), value=one.value, expected=one.expected)
        for one in problems
    ]


def _joined(name: str, rest: str) -> str:
    return f"{name}.{rest}" if rest and not rest.startswith("[") else f"{name}{rest}"


def _has_control(text: str) -> bool:
    return any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in text)

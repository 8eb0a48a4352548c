"""Money as integers: ISO 4217 digits, exact rounding, splitting, and decimal strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache, lru_cache
from math import lcm
from typing import Annotated

from msgspec import Meta

from ledger.values.wording import Wording, worded

MAX_MINOR = 10**14
"""The largest single amount in a command, in minor units: sums of thousands fit in 64 bits."""
MAX_MICROS = 10**15
"""The largest unit price in a command, in millionths of the currency unit."""

Minor = Annotated[int, Meta(extra={"unit": "minor"})]
"""An amount in the minor unit of its currency, which is in another field."""
Micros = Annotated[int, Meta(extra={"unit": "micros"})]
"""A unit price in millionths of the currency unit."""
UsdCents = Annotated[int, Meta(extra={"unit": "usd_cents"})]
"""An amount in US cents, for every account currency."""
Currency = Annotated[str, Meta(extra={"unit": "currency"})]
"""An ISO 4217 letter code."""
Decimal12 = Annotated[str, Meta(extra={"unit": "decimal12"})]
"""An exact decimal number as text, at most 12 decimals (a factor or a rate)."""

_DIGITS_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DIGITS_2 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP "
    "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR "
    "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR "
    "ZMW ZWG"
)
_DIGITS_3 = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS_4 = "CLF UYW"
CURRENCY_DIGITS: dict[str, int] = {
    code: digits
    for digits, codes in ((0, _DIGITS_0), (2, _DIGITS_2), (3, _DIGITS_3), (4, _DIGITS_4))
    for code in codes.split()
}
"""ISO 4217 letter code → digits of the minor unit (ISO list one; not CLDR, which disagrees)."""

_PRICE_DECIMALS = worded("a unit price has at most 6 decimals")
_DECIMALS = worded("at most 12 decimals")
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)


Exact = Fraction | int
"""An exact number. A whole one is better an int: a Fraction takes twenty times as long."""


def exact(numerator: int, denominator: int) -> Exact:
    """The quotient: 6/3 → 2, 7/3 → 7/3."""
    whole, rest = divmod(numerator, denominator)
    return Fraction(numerator, denominator) if rest else whole


def exact_sum(parts: Sequence[Exact]) -> Exact:
    """The sum of exact numbers, over their common denominator: 2 + 1/3 + 1/2 → 17/6."""
    common = lcm(*[part.denominator for part in parts])
    return exact(sum([part.numerator * (common // part.denominator) for part in parts]), common)


def round_half_up(exact: Exact) -> int:
    """The nearest integer; a half is rounded up. The only rounding of the ledger.

    1/2 → 1, 112.5 → 113, 249/100 → 2.
    """
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def split(total: Minor, weights: Sequence[int]) -> tuple[Minor, ...]:
    """`total` divided in the ratio of the weights: each part except the last is its share, rounded
    half up; the last is the rest.

    250 by 50 : 45 : 5 → 125 / 113 / 12. The parts always sum to the total. Without any weight all
    of it is the rest.
    """
    whole = sum(weights) or 1
    first = [round_half_up(exact(total * weight, whole)) for weight in weights[:-1]]
    return (*first, total - sum(first))


def instalment(total: Minor, number: int, count: int) -> Minor:
    """The `number`-th (from 1) of `count` instalments: round(total·k/n) − round(total·(k−1)/n)."""
    due = round_half_up(Fraction(total * number, count))
    return due - round_half_up(Fraction(total * (number - 1), count))


def parse_minor(text: str, currency: Currency) -> Minor:
    """`"1413.92"` in CNY → 141392. ValueError says what is wrong with the text."""
    digits = currency_digits(currency)
    amount = _scaled(text, digits, _decimals_of(currency))
    if abs(amount) > MAX_MINOR:
        most = format_minor(MAX_MINOR, currency)
        raise ValueError(
            worded("{text} is beyond {most} {currency}", text=text, most=most, currency=currency)
        )
    return amount


def parse_micros(text: str) -> Micros:
    """`"0.063"` → 63000. ValueError says what is wrong with the text."""
    price = _scaled(text, 6, _PRICE_DECIMALS)
    if abs(price) > MAX_MICROS:
        units = MAX_MICROS // 10**6
        raise ValueError(worded("{text} is beyond {most} a unit", text=text, most=units))
    return price


@lru_cache(maxsize=4096)
def format_minor(amount: Minor, currency: Currency) -> str:
    """141392 in CNY → `"1413.92"`: always all decimals of the currency.

    Remembered, because one working names the same amount up to five times.
    """
    return _fixed(amount, currency_digits(currency))


@lru_cache(maxsize=1024)
def format_micros(price: Micros, currency: Currency) -> str:
    """63000 → `"0.063"`: the currency's decimals, and more only where they are not zero.

    Remembered, because prices are those of a list.
    """
    whole, _, fraction = _fixed(price, 6).partition(".")
    fraction = fraction.rstrip("0").ljust(currency_digits(currency), "0")
    return f"{whole}.{fraction}" if fraction else whole


def currency_digits(currency: Currency) -> int:
    """The digits of the minor unit; ValueError for a code that is not in ISO 4217."""
    try:
        return CURRENCY_DIGITS[currency]
    except KeyError:
        raise ValueError(f"unknown currency {currency!r}: give an ISO 4217 code") from None


def parse_decimal12(text: str) -> Fraction:
    """`"0.88"` → 22/25, exact. ValueError unless it is a plain decimal with at most 12 decimals."""
    return Fraction(_scaled(text, 12, _DECIMALS), 10**12)


def minor_of_micros(price: Exact, currency: Currency) -> Exact:
    """A sum of unit prices (micros) as an exact number of minor units."""
    unit: int = 10 ** currency_digits(currency)
    return exact(price.numerator * unit, price.denominator * 10**6)


@cache
def _decimals_of(currency: Currency) -> Wording:
    digits = currency_digits(currency)
    return worded("{currency} has {digits} decimals", currency=currency, digits=digits)


def _scaled(text: str, digits: int, limit: Wording) -> int:
    if not _DECIMAL.fullmatch(text) or len(text) > 40:
        shown = repr(text[:40])
        raise ValueError(worded("{text} is not a decimal number such as 1413.92", text=shown))
    whole, _, fraction = text.partition(".")
    if len(fraction) > digits:
        found = len(fraction)
        raise ValueError(
            worded("{text} has {found} decimals, but {why}", text=text, found=found, why=limit)
        )
    return int(whole + fraction.ljust(digits, "0"))


def _fixed(number: int, digits: int) -> str:
    if not digits:
        return str(number)
    sign, units = ("-" if number < 0 else ""), str(abs(number)).rjust(digits + 1, "0")
    return f"{sign}{units[:-digits]}.{units[-digits:]}"

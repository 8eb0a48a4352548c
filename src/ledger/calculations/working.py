"""Working: the steps of a calculation, so that a person can redo it by hand."""

from __future__ import annotations

from ledger.values.money import Currency, Exact, Minor, format_minor
from ledger.vocabulary.shapes import WorkingStep


def step(name: str, result: str, **inputs: str) -> WorkingStep:
    """One step: its name, the inputs by name, the result."""
    return WorkingStep(step=name, inputs=inputs, result=result)


def exact_minor(exact: Exact, currency: Currency) -> str:
    """An exact number of minor units, as a decimal where it ends within 12 places, else a fraction.

    2016 (CNY) → 20.16; 806401/7 → 806401/7 minor units.
    """
    numerator, denominator = exact.numerator, exact.denominator
    if denominator == 1:
        return format_minor(numerator, currency)
    if 10**12 % denominator == 0:
        whole, rest = divmod(numerator * (10**12 // denominator), 10**12)
        return f"{format_minor(whole, currency)} and 0.{rest:012d}".rstrip("0") + " minor units"
    return f"{numerator}/{denominator} minor units"


def amount(minor: Minor, currency: Currency) -> str:
    """A stored amount, with its currency: `1413.92 CNY`."""
    return f"{format_minor(minor, currency)} {currency}"


def decimal_text(exact: Exact) -> str:
    """A number with at most 12 decimals, as a decimal: 1/4 → `0.25`."""
    if exact.denominator == 1:
        return str(exact.numerator)
    whole, rest = divmod(exact.numerator * 10**12 // exact.denominator, 10**12)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")

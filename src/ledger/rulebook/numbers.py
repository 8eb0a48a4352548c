"""What rules take from the terms, as a person would write it, and how two versions differ."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from ledger.calculations.working import decimal_text
from ledger.rulebook import RULES, Rule
from ledger.terms.table import Terms
from ledger.values.instants import format_instant
from ledger.values.money import format_minor


def numbers(rule: Rule, terms: Terms) -> dict[str, object]:
    """The terms a rule takes its numbers from, by name, as a person would write them."""
    return {name: _plain(name, getattr(terms, name)) for name in rule.terms}


class Difference(Struct, frozen=True, kw_only=True):
    """A number that two versions of the terms have differently, and the rules that use it."""

    name: str
    rules: tuple[str, ...]
    old: object
    new: object


def differences(old: Terms, new: Terms) -> tuple[Difference, ...]:
    """What the newer version changes, in the order of the terms' own keys."""
    return tuple(
        Difference(
            name=name,
            rules=tuple(rule.name for rule in RULES.values() if name in rule.terms),
            old=_plain(name, getattr(old, name)),
            new=_plain(name, getattr(new, name)),
        )
        for name in Terms.__struct_fields__
        if name != "version" and getattr(old, name) != getattr(new, name)
    )


def _plain(name: str, value: object) -> object:
    """A number of the terms in its own unit; tables in the order of their names."""
    if isinstance(value, Fraction):
        return decimal_text(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, int) and name == "cap_usd":
        return format_minor(value, "USD")
    if isinstance(value, int) and name == "effective_from":
        return format_instant(value)
    return value

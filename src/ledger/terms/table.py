"""The terms: every number of the rules, by version and effective instant."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from importlib import resources
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from ledger.values.instants import Instant, parse_instant
from ledger.values.money import UsdCents, parse_decimal12, parse_minor

T = TypeVar("T")


class CapBasis(StrEnum):
    """What a refund counts against the rolling cap: the refund, or the commitment cancelled."""

    REFUND = "REFUND"
    COMMITMENT = "COMMITMENT"


class PartialRounding(StrEnum):
    """How parts of a reservation, returned one by one, are rounded: each alone, or together."""

    EACH = "EACH"
    CUMULATIVE = "CUMULATIVE"


class UpgradeUseUntil(StrEnum):
    """The end of the use that is valued for an upgraded order: its first upgrade, or the return."""

    UPGRADE = "UPGRADE"
    RETURN = "RETURN"


class Terms(Struct, frozen=True, kw_only=True):
    """One version of the numbers. The last word of a window's name is its unit.

    A key with a default was added after the release of a version without it.
    """

    version: str
    effective_from: Instant
    time_zone: str
    quote_valid_minutes: int
    five_days_hours: int
    prepaid_retention_hours: int
    postpaid_retention_hours: int
    full_refunds_per_account: int
    ordinary_returns_per_account: int
    promotion_fee: Fraction
    review_days: int
    completion_days: int
    self_service_refunds_per_account: int
    arrival_minutes: int
    cap_usd: UsdCents
    cap_window_days: int
    cap_basis: CapBasis
    termination_fee: Fraction
    not_exchangeable: frozenset[str]
    families: dict[str, str]
    swaps: dict[str, str]
    partial_rounding: PartialRounding = PartialRounding.EACH
    upgrade_use_until: UpgradeUseUntil = UpgradeUseUntil.UPGRADE


class TermsTable(Struct, frozen=True, kw_only=True):
    """All versions in the order they take effect."""

    versions: tuple[Terms, ...]

    def at(self, instant: Instant) -> Terms:
        """The version in force at an instant; the table begins in 1970."""
        starts = [terms.effective_from for terms in self.versions]
        return self.versions[bisect_right(starts, instant) - 1]

    def version(self, version: str) -> Terms:
        """The version with this name; LookupError if the table does not have it."""
        for terms in self.versions:
            if terms.version == version:
                return terms
        raise LookupError(f"terms version {version!r} is not in the table")


def released_terms() -> TermsTable:
    """The table of the versions that are part of the program."""
    folder = resources.files("ledger").joinpath("terms")
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return terms_table([parse_terms(text) for text in texts])


def terms_table(versions: list[Terms]) -> TermsTable:
    """A table of these versions. ValueError if two have the same name or start, or if none begins
    in 1970.
    """
    ordered = tuple(sorted(versions, key=lambda terms: terms.effective_from))
    starts = {terms.effective_from for terms in ordered}
    names = {terms.version for terms in ordered}
    if len(starts) < len(ordered) or len(names) < len(ordered):
        raise ValueError("two versions of the terms share a name or a start")
    if not ordered or ordered[0].effective_from > 0:
        raise ValueError("the first version of the terms must be effective from 1970-01-01")
    return TermsTable(versions=ordered)


def overridden(table: TermsTable, text: str) -> TermsTable:
    """The table with one more version, from a file with only the changed numbers.

    Missing keys are as in the version in force at its start. If another version starts at the same
    instant, the new one has precedence. ValueError names a wrong key, or the version
    whose name is used already.
    """
    base = table.at(_effective_from(_sections(text)))
    found = parse_terms(text, base)
    known = [terms for terms in table.versions if terms.version == found.version]
    if known == [found]:
        return table
    if known:
        raise ValueError(
            f"terms: version {found.version!r} exists with other numbers, and a version never "
            "changes; give yours another name"
        )
    ordered = sorted((*table.versions, found), key=lambda terms: terms.effective_from)
    return TermsTable(versions=tuple(ordered))


def section_of(name: str) -> str:
    """The section in which a number stands in a file; '' for those above the first section."""
    return _KEYS[name][0]


def parse_terms(text: str, base: Terms | None = None) -> Terms:
    """One version from its TOML text; missing keys are taken from `base`, if there is one.

    ValueError names the key that is missing, unknown or wrong.
    """
    sections = _sections(text)
    values: dict[str, Any] = {}
    for name, (section, read) in _KEYS.items():
        if name in sections[section]:
            values[name] = _value(f"{section}.{name}".lstrip("."), read, sections[section][name])
        elif base is not None and name not in _OWN:
            values[name] = getattr(base, name)
        elif name not in _WITH_DEFAULT:
            raise ValueError(f"terms: the key {name!r} is missing")
    for section, keys in sections.items():
        for key in keys:
            if _KEYS.get(key, ("",))[0] != section or key not in _KEYS:
                raise ValueError(f"terms: the key {f'{section}.{key}'.lstrip('.')!r} is unknown")
    return Terms(**values)


def _sections(text: str) -> dict[str, dict[str, Any]]:
    """The keys of the file's sections; those above the first section are in section ''."""
    raw = tomllib.loads(text)
    sections: dict[str, dict[str, Any]] = {}
    for name in ("instances", "marketplace", "reservations"):
        section = raw.pop(name, {})
        sections[name] = _value(name, _section, section)
    return {"": raw, **sections}


def _effective_from(sections: dict[str, dict[str, Any]]) -> Instant:
    moment = sections[""].get("effective_from")
    if moment is None:
        raise ValueError("terms: the key 'effective_from' is missing")
    return _value("effective_from", _instant, moment)


def _value(key: str, read: Callable[[Any], T], raw: Any) -> T:
    try:
        return read(raw)
    except (ValueError, TypeError) as error:
        raise ValueError(f"terms: {key} is {raw!r}: {error}") from error


def _section(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise TypeError("write a section of lines under its name in brackets")
    return raw


def _instant(raw: Any) -> Instant:
    if not isinstance(raw, datetime):
        raise TypeError("write an instant such as 2026-07-01T00:00:00Z, without quotes")
    if raw.tzinfo is None:
        raise ValueError("it needs a zone, such as Z")
    return parse_instant(raw.astimezone(UTC).isoformat())


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError("write a text in quotes")
    return raw


def _zone(raw: Any) -> str:
    try:
        return ZoneInfo(_text(raw)).key
    except ZoneInfoNotFoundError:
        raise ValueError("no such time zone; write one such as Asia/Shanghai") from None


def _count(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= _MOST:
        raise ValueError(f"write a whole number from 0 to {_MOST}")
    return raw


def _share(raw: Any) -> Fraction:
    if not isinstance(raw, str) or not 0 <= (share := parse_decimal12(raw)) <= 1:
        raise ValueError('write a share from 0 to 1 as text, such as "0.25"')
    return share


def _usd(raw: Any) -> UsdCents:
    if not isinstance(raw, str) or (cents := parse_minor(raw, "USD")) < 0:
        raise ValueError('write US dollars as text, such as "50000.00"')
    return cents


def _names(raw: Any) -> frozenset[str]:
    if not isinstance(raw, list):
        raise TypeError("write a list of texts")
    return frozenset(_text(each) for each in raw)


def _pairs(raw: Any) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in _section(raw).items()}


_MOST = 1_000_000
_OWN = ("version", "effective_from")
_WITH_DEFAULT = ("partial_rounding", "upgrade_use_until")
_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "version": ("", _text),
    "effective_from": ("", _instant),
    "time_zone": ("", _zone),
    "quote_valid_minutes": ("", _count),
    "five_days_hours": ("instances", _count),
    "prepaid_retention_hours": ("instances", _count),
    "postpaid_retention_hours": ("instances", _count),
    "full_refunds_per_account": ("instances", _count),
    "ordinary_returns_per_account": ("instances", _count),
    "promotion_fee": ("instances", _share),
    "upgrade_use_until": ("instances", UpgradeUseUntil),
    "review_days": ("marketplace", _count),
    "completion_days": ("marketplace", _count),
    "self_service_refunds_per_account": ("marketplace", _count),
    "arrival_minutes": ("marketplace", _count),
    "cap_usd": ("reservations", _usd),
    "cap_window_days": ("reservations", _count),
    "cap_basis": ("reservations", CapBasis),
    "termination_fee": ("reservations", _share),
    "not_exchangeable": ("reservations", _names),
    "families": ("reservations", _pairs),
    "swaps": ("reservations", _pairs),
    "partial_rounding": ("reservations", PartialRounding),
}
"""Every key: the section it stands in, and how it is read."""

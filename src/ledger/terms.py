"""The terms: every number the rules use, by version and the instant it takes effect."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from importlib import resources
from typing import Any

from msgspec import Struct

from ledger.instants import Instant, parse_instant
from ledger.money import UsdCents, parse_decimal12, parse_minor


class CapBasis(StrEnum):
    """What a refund counts against the rolling cap: the refund, or the commitment cancelled."""

    REFUND = "REFUND"
    COMMITMENT = "COMMITMENT"


class Terms(Struct, frozen=True, kw_only=True):
    """One version of the numbers. Windows are in the unit their name ends in."""

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


class TermsTable(Struct, frozen=True, kw_only=True):
    """All versions in the order they take effect."""

    versions: tuple[Terms, ...]

    def at(self, instant: Instant) -> Terms:
        """The version in force at an instant; the table reaches back to 1970."""
        starts = [terms.effective_from for terms in self.versions]
        return self.versions[bisect_right(starts, instant) - 1]

    def version(self, version: str) -> Terms:
        """The version of that name; LookupError where the table does not have it."""
        for terms in self.versions:
            if terms.version == version:
                return terms
        raise LookupError(f"terms version {version!r} is not in the table")


def released_terms() -> TermsTable:
    """The table of the versions that travel with the program."""
    folder = resources.files("ledger").joinpath("terms")
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")]
    return terms_table([parse_terms(text) for text in texts])


def terms_table(versions: list[Terms]) -> TermsTable:
    """A table of these versions. ValueError where two share a name or a start, or none is first."""
    ordered = tuple(sorted(versions, key=lambda terms: terms.effective_from))
    starts = {terms.effective_from for terms in ordered}
    names = {terms.version for terms in ordered}
    if len(starts) < len(ordered) or len(names) < len(ordered):
        raise ValueError("two versions of the terms share a name or a start")
    if not ordered or ordered[0].effective_from > 0:
        raise ValueError("the first version of the terms must be effective from 1970-01-01")
    return TermsTable(versions=ordered)


def parse_terms(text: str) -> Terms:
    """One version from its TOML text. ValueError names the key that is missing or wrong."""
    raw = tomllib.loads(text)
    try:
        return _terms(raw, raw["instances"], raw["marketplace"], raw["reservations"])
    except KeyError as missing:
        raise ValueError(f"terms: the key {missing} is missing") from None


def _terms(
    raw: dict[str, Any], online: dict[str, Any], market: dict[str, Any], held: dict[str, Any]
) -> Terms:
    return Terms(
        version=str(raw["version"]),
        effective_from=_instant(raw["effective_from"]),
        time_zone=raw["time_zone"],
        quote_valid_minutes=raw["quote_valid_minutes"],
        five_days_hours=online["five_days_hours"],
        prepaid_retention_hours=online["prepaid_retention_hours"],
        postpaid_retention_hours=online["postpaid_retention_hours"],
        full_refunds_per_account=online["full_refunds_per_account"],
        ordinary_returns_per_account=online["ordinary_returns_per_account"],
        promotion_fee=parse_decimal12(online["promotion_fee"]),
        review_days=market["review_days"],
        completion_days=market["completion_days"],
        self_service_refunds_per_account=market["self_service_refunds_per_account"],
        arrival_minutes=market["arrival_minutes"],
        cap_usd=parse_minor(held["cap_usd"], "USD"),
        cap_window_days=held["cap_window_days"],
        cap_basis=CapBasis(held["cap_basis"]),
        termination_fee=parse_decimal12(held["termination_fee"]),
        not_exchangeable=frozenset(held["not_exchangeable"]),
        families=held["families"],
        swaps=held["swaps"],
    )


def _instant(moment: datetime) -> Instant:
    if moment.tzinfo is None:
        raise ValueError(f"terms: effective_from {moment} needs a zone, such as Z")
    return parse_instant(moment.astimezone(UTC).isoformat())

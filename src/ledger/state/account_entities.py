"""What an account collects in its life, kept apart: uses of the cap, credits, commitment terms."""

from __future__ import annotations

from msgspec import Struct

from ledger.values.instants import Day, Instant
from ledger.values.money import Minor, UsdCents


class CapEntry(Struct, frozen=True, kw_only=True):
    """A refund that counts against the cap while it is young; or what was brought along."""

    refund_id: str
    counted_at: Instant
    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents


class CapBlock(Struct, frozen=True, kw_only=True):
    """Some uses of the cap that follow on each other, oldest first. An account's are numbered."""

    entries: tuple[CapEntry, ...] = ()


class CapSum(Struct, frozen=True, kw_only=True):
    """The sums of one block or group, with the first and the last instant; 0 if nothing counts."""

    counted_at: Instant
    last_at: Instant
    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents


class CapGroup(Struct, frozen=True, kw_only=True):
    """The sums of some blocks, or of groups of the level below, that follow on each other."""

    sums: tuple[CapSum, ...]


class CapUses(Struct, frozen=True, kw_only=True):
    """The sums of all uses that are in no group yet, level by level: of blocks, of groups, ..."""

    levels: tuple[tuple[CapSum, ...], ...] = ()


class HeldCredit(Struct, frozen=True, kw_only=True):
    """Refunded money for the next purchase by invoice; without a refund it was brought along. An
    account's are numbered; `left` is 0 once it is used up or its refund was corrected.
    """

    credit_id: str
    refund_id: str | None = None
    left: Minor


class HeldCredits(Struct, frozen=True, kw_only=True):
    """How many credits an account has been given, the number of the first with something left, and
    what is left of all.
    """

    first: int = 0
    count: int = 0
    left: Minor = 0


class CommitmentTerm(Struct, frozen=True, kw_only=True):
    """A period in which an enrolment's monetary commitment runs."""

    term_id: str
    starts_on: Day
    ends_on: Day

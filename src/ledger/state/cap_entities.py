"""The entities that keep the uses of the refund cap: single, in blocks, and added up."""

from __future__ import annotations

from msgspec import Struct

from ledger.values.instants import Instant
from ledger.values.money import UsdCents


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
    """The sums of one block, with the first and the last instant; 0 if nothing counts any more."""

    counted_at: Instant
    last_at: Instant
    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents


class CapUses(Struct, frozen=True, kw_only=True):
    """All uses of an account's cap, with one sum per block."""

    blocks: tuple[CapSum, ...] = ()

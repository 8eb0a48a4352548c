"""Facts about refunds, whatever they are of: issued, settled, held, corrected."""

from __future__ import annotations

from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import (
    CapUse,
    HoldReason,
    Parts,
    Posting,
    RefundRule,
    RefundSource,
    Shape,
    WorkingStep,
)


class RefundIssued(Shape, frozen=True, kw_only=True):
    """`gross` − `fee` = `amount` = the sum of `parts`. The money is owed from here on.

    `quote_id` is the quote it was confirmed by, now used up; `quota_spent` says whether one of the
    account's self-service returns is spent; `ticket` is what a manual refund was agreed under.
    """

    refund_id: str
    source: RefundSource
    rule: RefundRule
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts
    cap: CapUse | None = None
    auto_approved: bool | None = None
    quota_spent: bool = False
    quote_id: str | None = None
    ticket: str | None = None
    working: tuple[WorkingStep, ...]
    postings: tuple[Posting, ...] = ()
    currency: Currency


class RefundSettled(Shape, frozen=True, kw_only=True):
    """`attempt` is the card refund that the gateway confirmed; 0.1.0 did not say which."""

    refund_id: str
    attempt: int | None = None
    gateway_reference: str | None = None
    gateway_reason: str | None = None
    postings: tuple[Posting, ...] = ()
    currency: Currency


class RefundHeld(Shape, frozen=True, kw_only=True):
    """`attempt` is the card refund that the gateway failed; 0.1.0 did not say which."""

    refund_id: str
    reason: HoldReason
    attempt: int | None = None
    gateway_reference: str | None = None
    gateway_reason: str | None = None
    postings: tuple[Posting, ...] = ()
    currency: Currency


class RefundCorrected(Shape, frozen=True, kw_only=True):
    refund_id: str
    reason: str
    quota_restored: bool
    cap_restored: bool
    postings: tuple[Posting, ...] = ()
    currency: Currency


class RefundOverpaid(Shape, frozen=True, kw_only=True):
    """`amount` went to a card though nothing of the refund was owed any more."""

    refund_id: str
    attempt: int
    gateway_reference: str
    gateway_reason: str | None = None
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


RefundEvent = RefundIssued | RefundSettled | RefundHeld | RefundCorrected | RefundOverpaid

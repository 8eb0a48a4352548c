"""Facts about settlements: balances, credits, memos, invoices, cards."""

from __future__ import annotations

from ledger.values.instants import Instant
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import (
    GatewayAnswer,
    InvoicedPurchase,
    InvoiceLine,
    Posting,
    Shape,
)


class BalanceCredited(Shape, frozen=True, kw_only=True):
    refund_id: str
    cash: Minor
    gift: Minor
    expected_arrival_at: Instant | None = None
    postings: tuple[Posting, ...]
    currency: Currency


class CommitmentCredited(Shape, frozen=True, kw_only=True):
    refund_id: str
    term_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class OverageRerateRequested(Shape, frozen=True, kw_only=True):
    refund_id: str
    term_id: str
    purchased_at: Instant


class CreditMemoIssued(Shape, frozen=True, kw_only=True):
    refund_id: str
    credit_memo_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class InvoiceCancelled(Shape, frozen=True, kw_only=True):
    invoice_id: str
    refund_id: str | None = None


class InvoiceIssued(Shape, frozen=True, kw_only=True):
    """`purchases` is what the lines are the sums of: each purchase on it, with its refunds."""

    invoice_id: str
    refund_id: str | None = None
    lines: tuple[InvoiceLine, ...]
    total: Minor
    purchases: tuple[InvoicedPurchase, ...] = ()
    currency: Currency


class CreditHeld(Shape, frozen=True, kw_only=True):
    refund_id: str
    credit_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class HeldCreditConsumed(Shape, frozen=True, kw_only=True):
    credit_id: str
    reservation_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class CardRefundRequested(Shape, frozen=True, kw_only=True):
    """`attempt` numbers a refund's card refunds from 1; 0.1.0 did not say it."""

    refund_id: str
    attempt: int | None = None
    card_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class GatewayAnswerRecorded(Shape, frozen=True, kw_only=True):
    """An answer of the gateway after which the refund and the books stand as before."""

    refund_id: str
    attempt: int
    answer: GatewayAnswer
    gateway_reference: str
    gateway_reason: str | None = None


class SupportTaskOpened(Shape, frozen=True, kw_only=True):
    """`attempt` is the card refund to be looked into, where it is about one; `gateway_reason` is
    what the gateway said, where it is why.
    """

    task_id: str
    refund_id: str
    reason: str
    attempt: int | None = None
    gateway_reason: str | None = None


SettlementEvent = (
    BalanceCredited
    | CommitmentCredited
    | OverageRerateRequested
    | CreditMemoIssued
    | InvoiceCancelled
    | InvoiceIssued
    | CreditHeld
    | HeldCreditConsumed
    | CardRefundRequested
    | GatewayAnswerRecorded
    | SupportTaskOpened
)

"""Facts about where refunded money went: balances, credits, memos, invoices, cards."""

from __future__ import annotations

from ledger.instants import Instant
from ledger.money import Currency, Minor
from ledger.shapes import InvoiceLine, Posting, Shape


class BalanceCredited(Shape):
    refund_id: str
    cash: Minor
    gift: Minor
    expected_arrival_at: Instant | None = None
    postings: tuple[Posting, ...]
    currency: Currency


class CommitmentCredited(Shape):
    refund_id: str
    term_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class OverageRerateRequested(Shape):
    refund_id: str
    term_id: str
    purchased_at: Instant


class CreditMemoIssued(Shape):
    refund_id: str
    credit_memo_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class InvoiceCancelled(Shape):
    invoice_id: str
    refund_id: str | None = None


class InvoiceIssued(Shape):
    invoice_id: str
    refund_id: str | None = None
    lines: tuple[InvoiceLine, ...]
    total: Minor
    currency: Currency


class CreditHeld(Shape):
    refund_id: str
    credit_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class HeldCreditConsumed(Shape):
    credit_id: str
    reservation_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class CardRefundRequested(Shape):
    refund_id: str
    card_id: str
    amount: Minor
    postings: tuple[Posting, ...]
    currency: Currency


class SupportTaskOpened(Shape):
    task_id: str
    refund_id: str
    reason: str


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
    | SupportTaskOpened
)

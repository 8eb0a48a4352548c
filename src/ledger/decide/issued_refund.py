"""The refund that a decision issues for an instance, a purchase or a reservation."""

from __future__ import annotations

from ledger.calculations.figures import RefundFigures
from ledger.decide.facts import derived
from ledger.policies.case import Case
from ledger.postings import refund_issued
from ledger.vocabulary.events import RefundIssued, RefundSettled
from ledger.vocabulary.shapes import RefundSource, SourceKind


def issued_refund(
    case: Case,
    kind: SourceKind,
    source_id: str,
    figures: RefundFigures,
    quote_id: str | None = None,
) -> RefundIssued:
    """The refund as it was computed, with what it owes."""
    return RefundIssued(
        refund_id=derived(case, "refund"),
        source=RefundSource(kind=kind, id=source_id),
        rule=figures.rule,
        gross=figures.gross,
        fee=figures.fee,
        amount=figures.amount,
        parts=figures.parts,
        cap=figures.cap,
        quote_id=quote_id,
        working=figures.working,
        postings=refund_issued(figures.gross, figures.fee),
        currency=case.account.currency,
    )


def settled_at_once(refund: RefundIssued) -> tuple[RefundSettled, ...]:
    """A refund of 0 pays nothing, so it is settled by the decision that issues it."""
    if refund.amount:
        return ()
    return (RefundSettled(refund_id=refund.refund_id, currency=refund.currency),)

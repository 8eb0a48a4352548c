"""Review period (复议期): a buyer applies by self-service only within it, later only by ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.calculations.review_period import review_ends_at
from ledger.policies.case import NOTHING, Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RequestMarketplaceRefund
from ledger.vocabulary.shapes import ProductKind


def review_period_over(case: Case) -> Iterator[Violation]:
    """SAAS: five calendar days in Shanghai; HUMAN_SERVICE: until the service is confirmed.

    Source: seed 001 (自助退款：指针对在复议期内的商品). By hand: bought 5 Jan 23:30 in Shanghai;
    applied 9 Jan 23:59:59 there: accepted; exactly 10 Jan 00:00: `REVIEW_PERIOD_OVER`.
    """
    if not isinstance(case.command, RequestMarketplaceRefund):
        return
    purchase = case.the(Purchase, case.command.purchase_id)
    if purchase.product_kind is ProductKind.HUMAN_SERVICE and purchase.service_confirmed:
        yield _over(Said("the service is confirmed"), service_confirmed="true")
    if purchase.product_kind is not ProductKind.SAAS:
        return
    terms = case.terms
    ends_at = review_ends_at(purchase.purchased_at, terms.review_days, terms.time_zone)
    if case.now >= ends_at:
        yield _over(
            Said("its {days} days ended at {review_ends_at}"),
            {"days": str(terms.review_days)},
            purchased_at=format_instant(purchase.purchased_at),
            review_ends_at=format_instant(ends_at),
            now=format_instant(case.now),
        )


def not_refundable(case: Case) -> Iterator[Violation]:
    """API and IMAGE products have no review period.

    Source: seed 001. By hand: a buyer applies for the refund of an IMAGE: `NOT_REFUNDABLE`.
    """
    if not isinstance(case.command, RequestMarketplaceRefund):
        return
    kind = case.the(Purchase, case.command.purchase_id).product_kind
    if kind in (ProductKind.API, ProductKind.IMAGE):
        yield violation(
            "review_period",
            Code.NOT_REFUNDABLE,
            Said("a product of kind {product_kind} has no review period; open a ticket instead"),
            product_kind=kind,
        )


def _over(why: Said, told: Mapping[str, str] = NOTHING, /, **figures: str) -> Violation:
    return violation(
        "review_period",
        Code.REVIEW_PERIOD_OVER,
        Said("the review period is over: {why}; open a ticket instead"),
        told,
        why,
        **figures,
    )

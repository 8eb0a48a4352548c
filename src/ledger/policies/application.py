"""Application (退款申请): what a buyer must give, and how often an account may apply."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RequestMarketplaceRefund
from ledger.vocabulary.shapes import RefundReason

RULE = "application"


def reason_required(case: Case) -> Iterator[Violation]:
    """An application has a reason from a fixed list. Source: seed 001 (选择【退款原因】).

    By hand: `RequestMarketplaceRefund` without `reason`: `REASON_REQUIRED`, figures allowed.
    """
    if isinstance(case.command, RequestMarketplaceRefund) and case.command.reason is None:
        said = Said("choose why the refund is asked for, one of: {allowed}")
        yield violation(RULE, Code.REASON_REQUIRED, said, allowed=", ".join(RefundReason))


def not_acknowledged(case: Case) -> Iterator[Violation]:
    """The buyer confirms that they have read the notice. Source: seed 001 (勾选【知悉信息】).

    By hand: `acknowledged` is false: `NOT_ACKNOWLEDGED`.
    """
    if isinstance(case.command, RequestMarketplaceRefund) and not case.command.acknowledged:
        said = Said("read the refund notice, agree, and send acknowledged: true")
        yield violation(RULE, Code.NOT_ACKNOWLEDGED, said, acknowledged="false")


def return_quota_exhausted(case: Case) -> Iterator[Violation]:
    """An account's self-service refunds, issued and pending, are limited by a number of the terms.

    Source: seed 001; the number is a term. By hand: 4 allowed, 3 issued and 1 pending: the next
    application: `RETURN_QUOTA_EXHAUSTED`; after the pending one is withdrawn: accepted. The limit
    is also valid for support in place of the buyer.
    """
    if not isinstance(case.command, RequestMarketplaceRefund):
        return
    issued = case.account.marketplace_refunds_issued
    pending = case.account.marketplace_refunds_pending
    limit = case.terms.self_service_refunds_per_account
    if issued + pending < limit:
        return
    yield violation(
        RULE,
        Code.RETURN_QUOTA_EXHAUSTED,
        Said(
            "{issued} issued and {pending} pending of {limit} self-service refunds; open a ticket"
        ),
        issued=str(issued),
        pending=str(pending),
        limit=str(limit),
    )

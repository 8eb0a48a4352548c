"""Return quota: how many self-service returns an account has."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import QuoteInstanceReturn, ReturnInstance
from ledger.vocabulary.shapes import RefundRule, Role

_Returns = QuoteInstanceReturn | ReturnInstance


def return_quota_exhausted(case: Case) -> Iterator[Violation]:
    """An account's ordinary returns are counted when the refund is issued. Source: seed 000.

    By hand: 199 ordinary returns are allowed; the 200th: `RETURN_QUOTA_EXHAUSTED`; the instance
    will go to the recycle bin at its expiry. Returns by SUPPORT are not limited and not counted.
    """
    if not isinstance(case.command, _Returns):
        return
    assert case.figures is not None
    if case.role is Role.SUPPORT or case.figures.rule is not RefundRule.ORDINARY_RETURN:
        return
    used, limit = case.account.ordinary_returns_used, case.terms.ordinary_returns_per_account
    if used < limit:
        return
    yield violation(
        "return_quota",
        Code.RETURN_QUOTA_EXHAUSTED,
        Said(
            "{used} of {limit} self-service returns are used; let the instance expire, or ask "
            "support"
        ),
        used=str(used),
        limit=str(limit),
    )


def full_quota_free(case: Case) -> bool:
    """Is a five-day full refund (term: 1) of the account left? Also valid for SUPPORT."""
    return case.account.full_refunds_used < case.terms.full_refunds_per_account


def spends_quota(case: Case, rule: RefundRule) -> bool:
    """Does this return use one of the quota? SUPPORT's ordinary returns do not."""
    return case.role is not Role.SUPPORT or rule is RefundRule.FIVE_DAYS_NO_REASON

"""Settle to the commitment: the term that a refund of a commitment purchase is credited to."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.state.account_entities import CommitmentTerm
from ledger.values.instants import Day


def credited_term(terms: Sequence[CommitmentTerm], term_id: str, today: Day) -> str | None:
    """The term that paid, or, after it has ended, the current one; None if no term is current.

    Source: seed 003 (如果使用购买预订的货币承诺术语不再处于活动状态，然后信用额度添加到
    你当前的企业协议货币承诺条款). A term's last day is the one before `ends_on`; of several current
    ones the one that started last is credited, of those with the same start the one opened last.

    By hand: t-1 ran through 2025, t-2 runs through 2026, t-3 from July 2026. Paid by t-1, returned
    in March 2026: t-2; in August 2026: t-3. Paid by t-3, returned in March 2026: t-3.
    """
    paid_by = [term for term in terms if term.term_id == term_id]
    if any(today < term.ends_on for term in paid_by):
        return term_id
    current = [term for term in terms if term.starts_on <= today < term.ends_on]
    if not current:
        return None
    return max(reversed(current), key=lambda term: term.starts_on).term_id

"""Postings: every journal balances, nothing is posted for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import postings
from ledger.vocabulary.shapes import Posting, Side

AMOUNT = st.integers(0, 10**14)


def lines(*rows: tuple[int, str, str, int]) -> tuple[Posting, ...]:
    return tuple(
        Posting(transaction=transaction, account=account, side=Side(side), amount=amount)
        for transaction, account, side, amount in rows
    )


def balance(found: tuple[Posting, ...]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for line in found:
        sign = 1 if line.side is Side.DEBIT else -1
        sums[line.transaction] = sums.get(line.transaction, 0) + sign * line.amount
    return sums


def test_a_refund_with_a_fee_owes_the_net_and_earns_the_fee() -> None:
    assert postings.refund_issued(10_000, 2_500) == lines(
        (1, "refunds", "DEBIT", 10_000),
        (1, "refund_payable", "CREDIT", 7_500),
        (1, "fee_income", "CREDIT", 2_500),
    )


def test_a_refund_of_nothing_posts_nothing() -> None:
    assert postings.refund_issued(0, 0) == ()
    assert postings.balance_credited(0, 0) == ()


def test_a_credit_keeps_cash_and_gift_money_apart() -> None:
    assert postings.balance_credited(19_012, 19_768) == lines(
        (1, "refund_payable", "DEBIT", 38_780),
        (1, "balance:cash", "CREDIT", 19_012),
        (1, "balance:gift", "CREDIT", 19_768),
    )


def test_a_fund_of_nothing_has_no_line() -> None:
    found = postings.balance_credited(100, 0)
    assert [line.account for line in found] == ["refund_payable", "balance:cash"]


def test_an_exchange_is_two_transactions() -> None:
    assert postings.reservation_exchanged([396_000, 4_000], [1_980_000]) == lines(
        (1, "refunds", "DEBIT", 400_000),
        (1, "refund_payable", "CREDIT", 396_000),
        (1, "refund_payable", "CREDIT", 4_000),
        (2, "receivable", "DEBIT", 1_980_000),
        (2, "sales", "CREDIT", 1_980_000),
    )


def test_a_purchase_is_owed_in_full() -> None:
    assert postings.reservation_purchased(500, 2) == lines(
        (2, "receivable", "DEBIT", 500), (2, "sales", "CREDIT", 500)
    )


def test_a_reversal_takes_back_every_line() -> None:
    made = postings.refund_issued(10_000, 2_500)
    back = postings.reversal(made)
    assert [line.amount for line in back] == [line.amount for line in made]
    assert all(a.side is not b.side for a, b in zip(made, back, strict=True))


def test_what_does_not_balance_is_a_bug() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        postings.journal([("refunds", 1)], [("refund_payable", 2)])


def test_a_commitment_term_has_an_account_of_its_own() -> None:
    assert postings.commitment("t-1") == "commitment:t-1"


@settings(derandomize=True)
@given(AMOUNT, AMOUNT, st.lists(AMOUNT, max_size=4), st.lists(AMOUNT, max_size=4))
def test_every_transaction_balances(
    one: int, other: int, returned: list[int], purchased: list[int]
) -> None:
    made = (
        postings.refund_issued(one + other, other),
        postings.balance_credited(one, other),
        postings.reservation_exchanged(returned, purchased),
        postings.reversal(postings.reservation_exchanged(returned, purchased)),
    )
    assert all(not any(balance(found).values()) for found in made)

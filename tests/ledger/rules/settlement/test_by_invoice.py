"""Settle by invoice: the invoice is issued again, the amount held for the next purchase."""

from __future__ import annotations

import pytest

from ledger.state.account_entities import HeldCredit
from ledger.state.entities import Invoice
from ledger.vocabulary.events import (
    CreditHeld,
    HeldCreditConsumed,
    InvoiceCancelled,
    InvoiceIssued,
    RefundSettled,
)
from ledger.vocabulary.shapes import AccountType, InvoiceLine, InvoiceLineKind, Role
from tests.ledger.rules.reservations.stories import back, bought, exchange, holding, names, new
from tests.ledger.rules.settlement.stories import (
    NO_INVOICE,
    correct,
    given_back,
    moved,
    net,
    on_it,
    settle,
)
from tests.scenario import Scenario

LATER = bought(10_000, "r-8", payment=NO_INVOICE)


def shown(purchase: int, refund: int) -> tuple[InvoiceLine, ...]:
    return (
        InvoiceLine(kind=InvoiceLineKind.PURCHASE, amount=purchase),
        InvoiceLine(kind=InvoiceLineKind.REFUND, amount=-refund),
    )


def invoice(s: Scenario) -> InvoiceIssued:
    (found,) = (event for event in s.outcome if isinstance(event, InvoiceIssued))
    return found


def cancelled(s: Scenario) -> list[str]:
    return [event.invoice_id for event in s.outcome if isinstance(event, InvoiceCancelled)]


def consumed(s: Scenario) -> list[tuple[str, int]]:
    found = (event for event in s.outcome if isinstance(event, HeldCreditConsumed))
    return [(event.reservation_id, event.amount) for event in found]


def with_credits(*amounts: int) -> Scenario:
    """Credits held for refunds of reservations that cost so much each."""
    purchases = [
        bought(amount, f"r-{place}", payment=NO_INVOICE)
        for place, amount in enumerate(amounts, start=1)
    ]
    s = holding(*purchases)
    for one in purchases:
        settle(s, given_back(s, one.reservation_id).refund_id)
    return s


def left(s: Scenario) -> list[int]:
    return [credit.left for credit in s.held_credits()]


def test_the_invoice_is_issued_again_and_the_amount_held() -> None:
    s = holding(account_type=AccountType.PAYG_INVOICE).at("2026-01-15T10:00:00Z")
    refund = given_back(s)
    settle(s, refund.refund_id)
    s.then(
        InvoiceCancelled(invoice_id="inv-1", refund_id=refund.refund_id),
        InvoiceIssued(
            invoice_id=s.derived("invoice"),
            refund_id=refund.refund_id,
            lines=shown(36_500, 35_500),
            total=1_000,
            purchases=(on_it("r-1", 36_500, refunded=35_500),),
            currency="USD",
        ),
        CreditHeld(
            refund_id=refund.refund_id,
            credit_id=s.derived("credit"),
            amount=35_500,
            postings=moved("refund_payable", "held_credit", 35_500),
            currency="USD",
        ),
        RefundSettled(refund_id=refund.refund_id, currency="USD"),
    )
    assert s.held_credits() == (
        HeldCredit(credit_id=s.derived("credit"), refund_id=refund.refund_id, left=35_500),
    )


def test_without_an_invoice_no_invoice_is_cancelled_or_issued() -> None:
    s = holding(bought(payment=NO_INVOICE))
    settle(s, given_back(s).refund_id)
    assert names(s) == ["CreditHeld", "RefundSettled"]


def test_the_next_refund_cancels_what_the_last_one_issued() -> None:
    s = holding(bought(30_000, quantity=3))
    settle(s, given_back(s, "r-1", 1).refund_id)
    first = invoice(s)
    settle(s, given_back(s, "r-1", 2).refund_id)
    assert cancelled(s) == [first.invoice_id]
    assert (invoice(s).lines, invoice(s).total) == (shown(30_000, 30_000), 0)


def test_purchases_on_one_invoice_stay_on_one() -> None:
    s = holding(bought(30_000), bought(20_000, "r-2"))
    settle(s, given_back(s, "r-1").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-1"], shown(50_000, 30_000))
    first = invoice(s).invoice_id
    settle(s, given_back(s, "r-2").refund_id)
    assert (cancelled(s), invoice(s).lines) == ([first], shown(50_000, 50_000))


def test_an_invoice_does_not_show_a_refund_corrected_before() -> None:
    s = holding(bought(30_000, quantity=3))
    wrong = given_back(s, "r-1", 1).refund_id
    settle(s, wrong)
    s.give(correct(wrong))
    settle(s, given_back(s, "r-1", 1).refund_id)
    assert invoice(s).lines == shown(30_000, 10_000)


def test_the_next_purchase_by_invoice_consumes_the_credit() -> None:
    s = with_credits(36_500)
    credit_id = s.held_credits()[0].credit_id
    s.give(LATER)
    assert s.outcome[1:] == (
        HeldCreditConsumed(
            credit_id=credit_id,
            reservation_id="r-8",
            amount=10_000,
            postings=moved("held_credit", "receivable", 10_000),
            currency="USD",
        ),
    )
    assert left(s) == [26_500]
    assert net(s)["held_credit"] == -26_500


def test_the_oldest_credit_is_consumed_first() -> None:
    s = with_credits(3_000, 5_000, 4_000)
    s.give(bought(6_000, "r-8", payment=NO_INVOICE))
    assert consumed(s) == [("r-8", 3_000), ("r-8", 3_000)]
    assert left(s) == [2_000, 4_000]
    s.give(bought(36_500, "r-9", payment=NO_INVOICE))
    assert consumed(s) == [("r-9", 2_000), ("r-9", 4_000)]
    assert left(s) == []
    s.give(bought(36_500, "r-10", payment=NO_INVOICE))
    assert names(s) == ["ReservationPurchased"]


def test_the_last_cent_owed_is_consumed_too() -> None:
    s = with_credits(9_999, 5)
    s.give(LATER)
    assert consumed(s) == [("r-8", 9_999), ("r-8", 1)]
    assert left(s) == [4]


def test_an_exchange_consumes_no_more_than_is_payable() -> None:
    s = with_credits(9_000, 9_000)
    s.give(bought(5_000, "r-7", payment=NO_INVOICE))
    assert left(s) == [4_000, 9_000]
    two = (new(6_000, "r-10", payment=NO_INVOICE), new(6_000, "r-11", payment=NO_INVOICE))
    s.give(exchange((back("r-7"),), two), role=Role.SUPPORT)
    assert consumed(s) == [("r-10", 4_000), ("r-10", 2_000), ("r-11", 1_000)]
    assert left(s) == [6_000]


def test_credit_of_a_corrected_refund_cannot_be_consumed() -> None:
    s = with_credits(36_500)
    s.give(correct(s.held_credits()[0].refund_id or ""))
    s.give(LATER)
    assert names(s) == ["ReservationPurchased"]


def test_what_was_consumed_of_a_corrected_credit_is_overdrawn() -> None:
    s = with_credits(3_000, 5_000)
    wrong = s.held_credits()[0].refund_id or ""
    s.give(bought(4_000, "r-8", payment=NO_INVOICE))
    s.give(correct(wrong))
    assert (left(s), s.the_account().credit_overdrawn) == ([4_000], 3_000)
    assert net(s)["held_credit"] == -1_000
    s.give(bought(10_000, "r-9", payment=NO_INVOICE))
    assert consumed(s) == [("r-9", 1_000)]
    assert "held_credit" not in net(s)


def test_an_invoice_of_no_refund_is_kept_all_the_same() -> None:
    s = holding()
    told = InvoiceIssued(invoice_id="inv-9", lines=shown(500, 0), total=500, currency="USD")
    s.given(told)
    assert s.state.find(Invoice, s.account, "inv-9") == Invoice(purchased=500)


@pytest.mark.parametrize("spent", [0, 1, 2_999, 3_000])
def test_a_corrected_credit_is_overdrawn_by_what_was_consumed_of_it(spent: int) -> None:
    s = with_credits(3_000)
    wrong = s.held_credits()[0].refund_id or ""
    if spent:
        s.give(bought(spent, "r-8", payment=NO_INVOICE))
    s.give(correct(wrong))
    assert (left(s), s.the_account().credit_overdrawn) == ([], spent)
    assert net(s).get("held_credit", 0) == spent

"""Account and source: who holds reservations, and what each type of account pays by."""

from __future__ import annotations

from itertools import product

import pytest

from ledger.postings import reservation_purchased
from ledger.values.instants import parse_day
from ledger.values.refusal import Code
from ledger.vocabulary.commands import OpenCommitmentTerm
from ledger.vocabulary.events import ReservationPurchased
from ledger.vocabulary.shapes import AccountType, Payment, PaymentMethod
from tests.ledger.rules.reservations.stories import (
    BY_INVOICE,
    UPFRONT,
    back,
    bought,
    exchange_quoted,
    holding,
    new,
    quote_exchange,
)
from tests.scenario import Scenario

PAYS_BY = {
    (AccountType.EA, PaymentMethod.COMMITMENT),
    (AccountType.EA, PaymentMethod.OVERAGE),
    (AccountType.PAYG_INVOICE, PaymentMethod.INVOICE),
    (AccountType.CSP, PaymentMethod.INVOICE),
    (AccountType.PAYG_CARD, PaymentMethod.CARD),
}
TERM = OpenCommitmentTerm(
    term_id="t-1",
    starts_on=parse_day("2026-01-01"),
    ends_on=parse_day("2027-01-01"),
    amount=100,
    currency="USD",
)


@pytest.mark.parametrize(("account", "method"), list(product(AccountType, PaymentMethod)))
def test_an_account_pays_by_its_own_methods(account: AccountType, method: PaymentMethod) -> None:
    s = Scenario().opened(account, "USD").when(bought(payment=Payment(method=method)))
    if (account, method) in PAYS_BY:
        assert isinstance(s.outcome[0], ReservationPurchased)
    else:
        violation = s.refused(Code.ACCOUNT_TYPE_NOT_ELIGIBLE).violations[0]
        assert violation.rule == "account_and_source"
        assert violation.figures["account_type"] == account
        assert violation.figures["method"] == method


def test_a_purchase_is_owed_and_sold_at_its_lifetime_price() -> None:
    s = Scenario().opened(AccountType.CSP, "USD")
    s.when(bought(quantity=2, starts_on="2024-02-29", owners=("u-1", "u-2", "u-1"))).then(
        ReservationPurchased(
            reservation_id="r-1",
            product_type="VirtualMachines",
            sku="Standard_F1",
            region="eastus",
            quantity=2,
            term_months=12,
            starts_on=parse_day("2024-02-29"),
            ends_on=parse_day("2025-02-28"),
            total=36_500,
            billing_plan=UPFRONT,
            payment=BY_INVOICE,
            owners=("u-1", "u-2"),
            postings=reservation_purchased(36_500),
            currency="USD",
        )
    )


def test_a_commitment_term_must_be_there() -> None:
    s = Scenario().opened(AccountType.EA, "USD")
    by_term = bought(payment=Payment(method=PaymentMethod.COMMITMENT, term_id="t-1"))
    refusal = s.when(by_term).refused(Code.NOT_FOUND)
    assert refusal.violations[0].figures == {"commitment_term": "t-1"}
    s.give(TERM)
    assert isinstance(s.when(by_term).outcome[0], ReservationPurchased)


def test_an_exchange_is_paid_by_the_accounts_methods_too() -> None:
    by_card = Payment(method=PaymentMethod.CARD, card_id="card-1")
    s = holding().when(quote_exchange((back(),), (new(40_000, payment=by_card),)))
    (violation,) = exchange_quoted(s).violations
    assert violation.code is Code.ACCOUNT_TYPE_NOT_ELIGIBLE
    unknown = Payment(method=PaymentMethod.COMMITMENT, term_id="t-9")
    s.when(quote_exchange((back(),), (new(40_000, payment=unknown),))).refused(Code.NOT_FOUND)


def test_a_reservation_is_recorded_once() -> None:
    s = holding()
    assert s.when(bought()).refused(Code.ALREADY_EXISTS).violations[0].figures == {
        "reservation": "r-1"
    }


def test_its_currency_is_the_accounts() -> None:
    holding().when(bought(1, "r-2", currency="EUR")).refused(Code.CURRENCY_MISMATCH)


def test_a_redelivery_stays_quiet() -> None:
    s = Scenario().opened(AccountType.CSP, "USD")
    s.give(bought(), id="c-1")
    s.when(bought(), id="c-1").then()

"""Account and source, and the account's one currency: what does not belong here is refused."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import OpenCommitmentTerm
from ledger.vocabulary.shapes import AccountType, Role
from tests.bodies import line, order, paid, postpaid, returning
from tests.ledger.rules.instances.acts import bought
from tests.scenario import START, Scenario

OTHERS = [found for found in AccountType if found is not AccountType.ONLINE]


@pytest.mark.parametrize("account_type", OTHERS)
def test_only_an_online_account_holds_instances(account_type: AccountType) -> None:
    s = Scenario().opened(account_type)
    for command in (order("o-1", starts_at=START), postpaid("i-1")):
        violation = s.when(command).refused(Code.ACCOUNT_TYPE_NOT_ELIGIBLE).violations[0]
        assert violation.rule == "account_and_source"
        assert violation.figures == {"account_type": account_type}


def test_money_in_another_currency_is_refused() -> None:
    s = Scenario().opened(currency="JPY")
    refusal = s.when(order("o-1", starts_at=START, currency="CNY")).refused(Code.CURRENCY_MISMATCH)
    assert refusal.violations[0].rule == "one_account_one_writer"
    assert refusal.violations[0].figures == {"account_currency": "JPY", "currency": "CNY"}
    term = OpenCommitmentTerm(term_id="t", starts_on=0, ends_on=1, amount=1, currency="USD")
    s.when(term).refused(Code.CURRENCY_MISMATCH)


def test_a_confirmation_in_another_currency_is_refused() -> None:
    s = bought(paid(100))
    dollars = returning("i-1", None, 100, currency="USD")
    s.when(dollars, role=Role.SUPPORT).refused(Code.CURRENCY_MISMATCH)


def test_both_are_listed_in_order() -> None:
    s = Scenario().opened(AccountType.EA, currency="USD")
    s.when(order("o-1", line(), starts_at=START)).refused(
        Code.CURRENCY_MISMATCH, Code.ACCOUNT_TYPE_NOT_ELIGIBLE
    )

"""Settle to the commitment: the term that paid is credited, or the current one, or by memo."""

from __future__ import annotations

import pytest

from ledger.state.entities import RefundStatus
from ledger.values.instants import DAY, parse_day
from ledger.values.refusal import Code
from ledger.vocabulary.commands import OpenCommitmentTerm
from ledger.vocabulary.events import (
    CommitmentCredited,
    CreditMemoIssued,
    OverageRerateRequested,
    RefundSettled,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import AccountType
from tests.ledger.rules.reservations.stories import bought, names, refund_entity
from tests.ledger.rules.settlement.stories import (
    BY_COMMITMENT,
    BY_OVERAGE,
    given_back,
    moved,
    net,
    settle,
    traded,
)
from tests.scenario import Scenario


def term(term_id: str, starts_on: str, ends_on: str) -> OpenCommitmentTerm:
    first, end = parse_day(starts_on), parse_day(ends_on)
    return OpenCommitmentTerm(
        term_id=term_id, starts_on=first, ends_on=end, amount=10_000_000, currency="USD"
    )


def enterprise(*more: OpenCommitmentTerm) -> Scenario:
    """r-1 was bought by commitment t-1, which runs to 1 July 2026; r-2 as overage."""
    s = Scenario().opened(AccountType.EA, "USD")
    for one in (term("t-1", "2025-07-01", "2026-07-01"), *more):
        s.give(one)
    s.give(bought(payment=BY_COMMITMENT))
    s.give(bought(7_300, "r-2", payment=BY_OVERAGE))
    return s


def credited_to(s: Scenario) -> str:
    (found,) = (event for event in s.outcome if isinstance(event, CommitmentCredited))
    return found.term_id


def test_a_term_that_is_over_leaves_the_account_when_the_next_is_opened_and_is_still_known() -> (
    None
):
    s = enterprise(term("t-2", "2026-07-01", "2027-01-01"))
    s.later(400 * DAY)
    s.give(term("t-3", "2027-01-01", "2028-01-01"))
    assert [one.term_id for one in s.the_account().commitment_terms] == ["t-3"]
    s.when(term("t-1", "2028-01-01", "2029-01-01")).refused(Code.ALREADY_EXISTS)


def test_the_term_that_paid_is_credited_and_overage_rated_again() -> None:
    s = enterprise()
    bought_at = s.now
    refund = given_back(s.at("2026-01-15T10:00:00Z"))
    settle(s, refund.refund_id)
    s.then(
        CommitmentCredited(
            refund_id=refund.refund_id,
            term_id="t-1",
            amount=35_500,
            postings=moved("refund_payable", "commitment:t-1", 35_500),
            currency="USD",
        ),
        OverageRerateRequested(refund_id=refund.refund_id, term_id="t-1", purchased_at=bought_at),
        RefundSettled(refund_id=refund.refund_id, currency="USD"),
    )
    assert refund_entity(s, refund.refund_id).status is RefundStatus.SETTLED
    assert net(s)["commitment:t-1"] == -35_500
    assert "refund_payable" not in net(s)


def test_its_last_day_is_the_one_before_its_end() -> None:
    s = enterprise(term("t-2", "2026-06-01", "2027-06-01"))
    settle(s, given_back(s.at("2026-06-30T23:59:59Z")).refund_id)
    assert credited_to(s) == "t-1"


def test_a_term_that_has_ended_leaves_it_to_the_current_one() -> None:
    s = enterprise(term("t-2", "2026-07-01", "2027-07-01"))
    settle(s, given_back(s.at("2026-07-01T00:00:00Z")).refund_id)
    assert credited_to(s) == "t-2"


def test_of_several_current_terms_the_latest_start_is_credited() -> None:
    s = enterprise(
        term("t-2", "2026-03-01", "2027-03-01"),
        term("t-3", "2026-06-01", "2027-06-01"),
        term("t-4", "2026-02-01", "2027-02-01"),
        term("t-5", "2026-09-01", "2027-09-01"),
    )
    settle(s, given_back(s.at("2026-08-01T00:00:00Z")).refund_id)
    assert credited_to(s) == "t-3"


def test_of_several_with_the_same_start_the_one_opened_last_is_credited() -> None:
    s = enterprise(term("t-3", "2026-06-01", "2027-06-01"), term("t-2", "2026-06-01", "2028-06-01"))
    settle(s, given_back(s.at("2026-08-01T00:00:00Z")).refund_id)
    assert credited_to(s) == "t-2"


def test_without_a_current_term_a_memo_is_issued_and_support_called() -> None:
    s = enterprise(term("t-2", "2026-09-01", "2027-09-01"))
    refund = given_back(s.at("2026-07-01T00:00:00Z"))
    settle(s, refund.refund_id)
    s.then(
        CreditMemoIssued(
            refund_id=refund.refund_id,
            credit_memo_id=s.derived("credit_memo"),
            amount=refund.amount,
            postings=moved("refund_payable", "credit_memos", refund.amount),
            currency="USD",
        ),
        SupportTaskOpened(
            task_id=s.derived("task"),
            refund_id=refund.refund_id,
            reason="NO_CURRENT_COMMITMENT_TERM",
        ),
        RefundSettled(refund_id=refund.refund_id, currency="USD"),
    )


def test_what_was_bought_as_overage_goes_back_by_credit_memo() -> None:
    s = enterprise()
    refund = given_back(s, "r-2")
    settle(s, refund.refund_id)
    s.then(
        CreditMemoIssued(
            refund_id=refund.refund_id,
            credit_memo_id=s.derived("credit_memo"),
            amount=7_300,
            postings=moved("refund_payable", "credit_memos", 7_300),
            currency="USD",
        ),
        RefundSettled(refund_id=refund.refund_id, currency="USD"),
    )


def test_each_leg_of_an_exchange_goes_back_its_own_way() -> None:
    s = enterprise()
    s.give(bought(100, "r-3", payment=BY_COMMITMENT))
    legs = [
        leg.refund_id for leg in traded(s, "r-1", "r-2", total=50_000, payment=BY_OVERAGE).returned
    ]
    settle(s, legs[0])
    assert names(s) == ["CommitmentCredited", "OverageRerateRequested", "RefundSettled"]
    settle(s, legs[1])
    assert names(s) == ["CreditMemoIssued", "RefundSettled"]
    assert net(s) == {
        "receivable": 36_500 + 7_300 + 100 + 50_000,
        "sales": -(36_500 + 7_300 + 100 + 50_000),
        "refunds": 36_500 + 7_300,
        "commitment:t-1": -36_500,
        "credit_memos": -7_300,
    }


def test_a_refund_is_settled_once() -> None:
    s = enterprise()
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    settle(s, refund_id)
    assert s.refused(Code.WRONG_STATE).violations[0].figures["state"] == "SETTLED"


@pytest.mark.parametrize(
    ("at", "current"),
    [
        ("2026-08-31T23:59:59.999999Z", False),
        ("2026-09-01T00:00:00Z", True),
        ("2027-08-31T23:59:59.999999Z", True),
        ("2027-09-01T00:00:00Z", False),
    ],
)
def test_a_term_is_current_from_its_first_day_to_the_one_before_its_end(
    at: str, *, current: bool
) -> None:
    s = enterprise(term("t-2", "2026-09-01", "2027-09-01"))
    s.give(bought(36_500, "r-3", months=36, payment=BY_COMMITMENT))
    settle(s, given_back(s.at(at), "r-3").refund_id)
    memo = ["CreditMemoIssued", "SupportTaskOpened", "RefundSettled"]
    to_it = ["CommitmentCredited", "OverageRerateRequested", "RefundSettled"]
    assert names(s) == (to_it if current else memo)


def test_a_settlement_is_told_once() -> None:
    s = enterprise()
    settle(s, given_back(s).refund_id)
    s.again().then()

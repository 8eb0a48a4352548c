"""Corrections: every posting of a refund reversed, once; what it counted for counts no more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.postings import reversal
from ledger.state.entities import (
    InstalmentReturns,
    Instance,
    InstanceStatus,
    PurchaseStatus,
    RefundStatus,
)
from ledger.values.instants import DAY
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund, SettleRefund
from ledger.vocabulary.events import RefundCorrected
from ledger.vocabulary.shapes import Channel, ProductKind, RefundRule, Role
from tests.bodies import line, order, paid
from tests.ledger.rules.instances import acts
from tests.ledger.rules.marketplace import stories as market
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    bought,
    by_support,
    holding,
    names,
    refund_entity,
    the_reservation,
)
from tests.ledger.rules.settlement.stories import by_card, correct, given_back, net, settle, traded
from tests.scenario import START, Scenario

FITTING = {"above": 5_000_001, "whole": 5_000_000, "cent": 1}
WENT_BACK = ["ReservationCancelled", "RefundIssued"]


def test_every_posting_is_reversed_and_nothing_else_moves() -> None:
    s = acts.bought(paid(20_000, 20_796))
    refund = acts.returned(s)
    acts.settle(s, refund)
    made = refund_entity(s, refund.refund_id).postings
    s.when(correct(refund.refund_id)).then(
        RefundCorrected(
            refund_id=refund.refund_id,
            reason="wrong customer",
            quota_restored=False,
            cap_restored=False,
            postings=reversal(made),
            currency="CNY",
        )
    )
    assert net(s) == {}
    kept = s.state.find(Instance, s.account, "i-1")
    assert kept is not None
    assert kept.status is InstanceStatus.ISOLATED
    assert refund_entity(s, refund.refund_id).status is RefundStatus.CORRECTED


def test_one_not_settled_yet_cannot_be_settled_any_more() -> None:
    s = acts.bought()
    refund_id = acts.returned(s).refund_id
    s.give(correct(refund_id))
    assert net(s) == {}
    settle(s, refund_id)
    assert s.refused(Code.WRONG_STATE).violations[0].figures["state"] == "CORRECTED"


def test_a_fee_is_given_up_with_the_refund() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), starts_at=START, channel=Channel.PROMOTION))
    refund = acts.returned(s, role=Role.SUPPORT)
    assert refund.fee
    s.give(correct(refund.refund_id))
    assert net(s) == {}


def test_a_refund_is_corrected_once() -> None:
    s = acts.bought()
    refund_id = acts.returned(s).refund_id
    s.give(correct(refund_id), id="c-1")
    s.when(correct(refund_id), id="c-1").then()
    violation = s.when(correct(refund_id), id="c-2").refused(Code.ALREADY_CORRECTED).violations[0]
    assert (violation.rule, violation.figures["state"]) == ("corrections", "CORRECTED")


def test_only_support_corrects_and_only_what_is_there() -> None:
    s = acts.bought()
    refund_id = acts.returned(s).refund_id
    for role in (Role.OWNER, Role.BILLING, Role.SYSTEM):
        s.when(correct(refund_id), role=role).refused(Code.FORBIDDEN)
    s.when(correct("r-77")).refused(Code.NOT_FOUND)


def test_not_while_a_card_refund_is_under_way() -> None:
    s = by_card()
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    violation = s.when(correct(refund_id)).refused(Code.WRONG_STATE).violations[0]
    assert (violation.rule, violation.figures["state"]) == ("corrections", "SETTLING")
    s.give(ConfirmCardRefund(refund_id=refund_id, gateway_reference="g-1"))
    s.give(correct(refund_id))
    assert net(s) == {"receivable": 36_500, "sales": -36_500}


def test_a_held_one_is_corrected_and_waits_for_nobody() -> None:
    s = by_card()
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    s.give(FailCardRefund(refund_id=refund_id, gateway_reference="g-1"))
    s.give(correct(refund_id))
    assert net(s) == {"receivable": 36_500, "sales": -36_500}
    again = SettleRefund(refund_id=refund_id, card_id="k-2")
    s.when(again, role=Role.SUPPORT).refused(Code.WRONG_STATE)


def test_a_leg_of_an_exchange_is_corrected_alone() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    first, second = traded(s, "r-1", "r-2").returned
    settle(s, first.refund_id)
    settle(s, second.refund_id)
    s.give(correct(first.refund_id))
    assert net(s) == {"receivable": 50_000, "sales": -70_000, "refunds": 20_000}
    assert the_reservation(s).refunded == 0
    assert the_reservation(s, "r-2").refunded == 20_000


@pytest.mark.parametrize("restore", [True, False])
def test_the_quota_comes_back_where_asked_for(*, restore: bool) -> None:
    s = acts.bought()
    refund = acts.returned(s)
    assert s.the_account().full_refunds_used == 1
    s.give(correct(refund.refund_id, quota=restore))
    assert s.the_account().full_refunds_used == (0 if restore else 1)


def test_the_quota_of_ordinary_returns_comes_back() -> None:
    s = acts.bought().later(6 * DAY)
    refund = acts.returned(s)
    assert s.the_account().ordinary_returns_used == 1
    s.give(correct(refund.refund_id, quota=True))
    assert s.the_account().ordinary_returns_used == 0


def test_what_spent_no_quota_gives_none_back() -> None:
    s = acts.bought().later(6 * DAY)
    refund = acts.returned(s, role=Role.SUPPORT)
    (found,) = s.give(correct(refund.refund_id, quota=True, cap=True))
    assert isinstance(found, RefundCorrected)
    assert (found.quota_restored, found.cap_restored) == (False, False)
    assert s.the_account().ordinary_returns_used == 0


@pytest.mark.parametrize("restore", [True, False])
def test_the_use_of_the_cap_comes_back_where_asked_for(*, restore: bool) -> None:
    s = holding(bought(30_000, quantity=3))
    given_back(s, "r-1", 1)
    wrong = given_back(s, "r-1", 1)
    s.give(correct(wrong.refund_id, cap=restore))
    counted = [entry.refund_usd for entry in s.cap_entries()]
    assert counted == ([10_000] if restore else [10_000, 10_000])


def test_of_a_purchase_a_corrected_refund_does_not_count() -> None:
    s = market.bought(ProductKind.API, paid(10_000, 20_000))
    first = market.the_refund(s.when(market.ticket(20_000)))
    s.when(market.ticket(10_001)).refused(Code.EXCEEDS_PAID)
    s.give(correct(first.refund_id))
    whole = market.the_refund(s.when(market.ticket(30_000)))
    assert (whole.parts.cash, whole.parts.gift) == (10_000, 20_000)
    assert market.the_purchase(s).status is PurchaseStatus.REFUNDED
    s.when(market.ticket(1)).refused(Code.EXCEEDS_PAID)


def test_the_split_of_manual_refunds_goes_on_without_a_corrected_one() -> None:
    """Thirds of cash and two thirds of gift money; of 0.01, 0.01, 0.01 the second is corrected."""
    s = market.bought(ProductKind.API, paid(10_000, 20_000))
    refunds = [market.the_refund(s.when(market.ticket(1))) for _ in range(3)]
    assert [refund.parts.cash for refund in refunds] == [0, 1, 0]
    s.give(correct(refunds[1].refund_id))
    rest = market.the_refund(s.when(market.ticket(29_998)))
    assert (rest.parts.cash, rest.parts.gift) == (10_000, 19_998)


def test_the_count_of_applications_comes_back_where_asked_for() -> None:
    s = market.applied()
    refund = market.the_refund(market.approve(s))
    assert s.the_account().marketplace_refunds_issued == 1
    s.give(correct(refund.refund_id, quota=True))
    assert s.the_account().marketplace_refunds_issued == 0
    assert market.the_purchase(s).access_revoked


def test_of_a_reservation_a_corrected_refund_does_not_count() -> None:
    s = holding(bought(1, quantity=2))
    wrong = given_back(s, "r-1", 1)
    assert wrong.amount == 1
    s.give(correct(wrong.refund_id))
    assert the_reservation(s).refunded == 0
    assert given_back(s, "r-1", 1).amount == 1


def test_the_running_instalment_is_left_alone_by_one_of_an_earlier() -> None:
    s = holding(bought(36_000, quantity=3, plan=MONTHLY))
    wrong = given_back(s, "r-1", 1)
    given_back(s.at("2026-02-05T00:00:00Z"), "r-1", 1)
    before = the_reservation(s).returns
    s.give(correct(wrong.refund_id))
    assert (
        the_reservation(s).returns
        == before
        == InstalmentReturns(number=2, quantity=1, refunded=1_000)
    )
    assert the_reservation(s).refunded == 1_000


def test_the_same_history_folds_to_the_same_state() -> None:
    s = holding(bought(30_000, quantity=3))
    refund_id = given_back(s, "r-1", 1).refund_id
    settle(s, refund_id)
    s.give(correct(refund_id, cap=True))
    assert s.folded().entities() == s.state.entities()


@pytest.mark.parametrize("rule", [RefundRule.MARKETPLACE_MANUAL, RefundRule.RESERVATION_REFUND])
def test_a_rule_that_has_no_quota_counts_none_whatever_the_facts_say(rule: RefundRule) -> None:
    """What is recorded is folded, however it came to be: no counter goes below or above."""
    s = market.bought(ProductKind.API)
    before = s.the_account()
    refund = market.the_refund(s.when(market.ticket(100)))
    s.given(replace(refund, refund_id="r-77", rule=rule, quota_spent=True))
    corrected = RefundCorrected(
        refund_id="r-77", reason="odd", quota_restored=True, cap_restored=False, currency="CNY"
    )
    s.given(corrected)
    assert s.the_account() == before


@pytest.mark.parametrize("restore", [True, False])
def test_the_cap_is_free_again_to_the_cent_only_where_it_was_given_back(*, restore: bool) -> None:
    later = (bought(total, one, starts_on="2027-12-01") for one, total in FITTING.items())
    s = holding(bought(4_999_999), *later)
    wrong = given_back(s, "r-1")
    s.give(correct(wrong.refund_id, cap=restore))
    by_support(s, "above").refused(Code.REFUND_CAP_EXCEEDED)
    by_support(s, "whole")
    assert names(s) == (WENT_BACK if restore else ["CommandRefused"])
    by_support(s, "cent")
    assert names(s) == (["CommandRefused"] if restore else WENT_BACK)


@pytest.mark.parametrize("restore", [True, False])
def test_the_last_ordinary_return_is_free_again_only_where_it_was_given_back(
    *, restore: bool
) -> None:
    s = Scenario(terms=acts.no_full_refunds(ordinary_returns_per_account=1)).opened()
    s.give(order("o-1", line("i-1"), line("i-2"), line("i-3"), starts_at=START))
    s.give(correct(acts.returned(s, "i-1").refund_id, quota=restore))
    acts.act_on(s, acts.quoted(s, "i-2"))
    if restore:
        assert acts.issued(s).quota_spent
        acts.act_on(s, acts.quoted(s, "i-3"))
    s.refused(Code.RETURN_QUOTA_EXHAUSTED)


@pytest.mark.parametrize("restore", [True, False])
def test_the_last_application_is_free_again_only_where_it_was_given_back(*, restore: bool) -> None:
    s = Scenario().opened()
    for one in ("p-1", "p-2", "p-3", "p-4"):
        s.give(market.purchase(one))
        s.give(market.application(one))
        market.approve(s, one)
    s.give(correct(market.the_refund(s).refund_id, quota=restore))
    for one in ("p-5", "p-6"):
        s.give(market.purchase(one))
    if restore:
        assert market.names(s.when(market.application("p-5"))) == ["MarketplaceRefundRequested"]
    s.when(market.application("p-6")).refused(Code.RETURN_QUOTA_EXHAUSTED)

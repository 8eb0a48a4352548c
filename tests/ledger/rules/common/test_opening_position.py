"""Opening position: said once and first, of the past; what it brings along counts like any."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.state.account_entities import HeldCredit
from ledger.state.entities import Account, Purchase, PurchaseStatus
from ledger.terms.table import CapBasis, released_terms
from ledger.values.instants import DAY, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    Command,
    CorrectRefund,
    OpenCommitmentTerm,
    SetAccountStanding,
)
from ledger.vocabulary.events import (
    BalanceCredited,
    HeldCreditConsumed,
    InvoiceIssued,
    OpeningPositionRecorded,
    RefundIssued,
    ReservationPurchased,
)
from ledger.vocabulary.shapes import AccountType, ByFund, Parts, Posting, RefundRule, Role, Side
from tests.bodies import line, order, paid, returning
from tests.ledger.rules.common.brought import position, use
from tests.ledger.rules.marketplace.stories import application, purchase, ticket
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    bought,
    by_support,
    the_refund,
    the_reservation,
)
from tests.ledger.rules.settlement.stories import settle
from tests.scenario import START, Scenario, with_terms

NOW = parse_instant(START)
CSP = AccountType.CSP


def opened(account_type: AccountType = AccountType.ONLINE, *, at: str = START) -> Scenario:
    return Scenario(at=at).opened(
        account_type, "CNY" if account_type is AccountType.ONLINE else "USD"
    )


def test_all_of_it_is_recorded_with_what_is_owed_as_of_its_instant() -> None:
    uses = (use(300_000, 5_000_000, at="2025-06-01T00:00:00Z"),)
    brought = position(
        as_of="2026-01-01T00:00:00Z",
        quotas=(1, 17, 3),
        uses=uses,
        cash=12_000,
        gift=3_000,
        credits=(("k-1", 4_000), ("k-2", 1_000)),
    )
    s = opened().when(brought)
    posted = [("opening_balance", Side.DEBIT, 20_000), ("balance:cash", Side.CREDIT, 12_000)]
    posted += [("balance:gift", Side.CREDIT, 3_000), ("held_credit", Side.CREDIT, 5_000)]
    s.then(
        OpeningPositionRecorded(
            as_of=brought.as_of,
            full_refunds_used=1,
            ordinary_returns_used=17,
            marketplace_refunds_issued=3,
            cap_uses=uses,
            balance=ByFund(cash=12_000, gift=3_000),
            held_credits=brought.held_credits,
            postings=tuple(
                Posting(transaction=1, account=account, side=side, amount=amount)
                for account, side, amount in posted
            ),
            currency="CNY",
        )
    )
    assert s.recorded[-1].meta.occurred_at == brought.as_of
    assert s.the_account() == Account(
        account_type=AccountType.ONLINE,
        us_government=False,
        currency="CNY",
        full_refunds_used=1,
        ordinary_returns_used=17,
        marketplace_refunds_issued=3,
    )
    assert s.held_credits() == (
        HeldCredit(credit_id="k-1", left=4_000),
        HeldCredit(credit_id="k-2", left=1_000),
    )


def test_nothing_owed_posts_nothing() -> None:
    (event,) = opened().give(position(quotas=(1, 0, 0)))
    assert isinstance(event, OpeningPositionRecorded)
    assert event.postings == ()


def test_a_redelivery_brings_nothing_along_again() -> None:
    s = opened().when(position(cash=100), id="c-1")
    s.later(400 * DAY).again().then()


@pytest.mark.parametrize(
    "first",
    [
        SetAccountStanding(in_arrears=True),
        order("o-1", line("i-1"), starts_at=START),
        purchase(),
    ],
)
def test_after_anything_else_of_the_account_it_is_too_late(first: Command) -> None:
    s = opened()
    s.give(first)
    violation = s.when(position()).refused(Code.WRONG_STATE).violations[0]
    assert violation.rule == "opening_position"
    assert violation.figures == {"account": "acct-1", "state": "IN_USE", "events": "2"}


def test_a_refusal_before_it_is_nothing_of_the_account() -> None:
    s = opened().when(returning("i-9"))
    s.refused(Code.NOT_FOUND)
    s.give(position(cash=1))
    assert isinstance(s.outcome[0], OpeningPositionRecorded)


def test_a_second_one_exists_already_even_when_the_account_is_in_use() -> None:
    s = opened()
    s.give(position(cash=1))
    s.give(SetAccountStanding(in_arrears=True))
    violation = s.when(position(cash=2)).refused(Code.ALREADY_EXISTS).violations[0]
    assert violation.figures == {"opening_position": "acct-1"}


def test_only_billing_may_give_it_and_only_of_an_account_that_is_open() -> None:
    opened().when(position(), role=Role.SUPPORT).refused(Code.FORBIDDEN)
    Scenario().when(position()).refused(Code.NOT_FOUND)


def test_money_in_another_currency_is_refused() -> None:
    opened().when(position(cash=1, currency="USD")).refused(Code.CURRENCY_MISMATCH)


def test_a_use_of_the_cap_still_to_come_is_refused_by_its_field() -> None:
    uses = (use(1, at=NOW, reference="old-1"), use(1, at=NOW + 1, reference="old-2"))
    s = opened(CSP).when(position(uses=uses, currency="USD"))
    (found,) = s.refused(Code.WRONG_STATE).violations
    assert found.figures == {
        "account": "acct-1",
        "state": "IN_THE_FUTURE",
        "field": "cap_uses[1].refunded_at",
        "instant": format_instant(NOW + 1),
        "decided_at": START,
    }
    s.later(1).give(position(uses=uses, currency="USD"))
    assert isinstance(s.outcome[0], OpeningPositionRecorded)


def test_a_position_as_of_a_later_instant_is_taken_when_it_is_recorded() -> None:
    s = opened()
    s.give(position(as_of=NOW + 2))
    (recorded,) = s.outcome
    assert isinstance(recorded, OpeningPositionRecorded)
    assert recorded.as_of == NOW + 2
    assert s.recorded[-1].meta.occurred_at == NOW


def test_a_spent_quota_is_spent() -> None:
    s = opened()
    s.give(position(quotas=(1, 199, 4)))
    s.give(order("o-1", line("i-1", paid(10_000)), starts_at=START))
    s.when(returning("i-1"), role=Role.OWNER).refused(
        Code.RETURN_QUOTA_EXHAUSTED, Code.QUOTE_REQUIRED
    )
    s.give(purchase())
    s.when(application()).refused(Code.RETURN_QUOTA_EXHAUSTED)


def test_one_below_the_quota_is_one_more_return() -> None:
    s = opened()
    s.give(position(quotas=(1, 198, 3)))
    s.give(order("o-1", line("i-1", paid(10_000)), starts_at=START))
    s.give(returning("i-1"), role=Role.SUPPORT)
    assert s.outcome[1].rule is RefundRule.ORDINARY_RETURN  # type: ignore[union-attr]  # a refund
    s.give(purchase())
    s.give(application())
    assert s.the_account().marketplace_refunds_pending == 1


@pytest.mark.parametrize("basis", list(CapBasis))
def test_uses_of_the_cap_count_in_both_readings_until_they_are_365_days_old(
    basis: CapBasis,
) -> None:
    terms = with_terms(released_terms(), cap_basis=basis)
    first, second = "2025-03-01T08:00:00Z", "2025-06-01T00:00:00Z"
    readings = {CapBasis.REFUND: (3_000_000, 0), CapBasis.COMMITMENT: (0, 3_000_000)}[basis]
    s = Scenario(terms=terms).opened(CSP, "USD")
    s.give(
        position(
            uses=(
                use(1_500_000, at=second, reference="old-2"),
                use(*readings, at=first, reference="old-1"),
                use(9_000_000, at=NOW - 365 * DAY, reference="old-0"),
            ),
            currency="USD",
        )
    )
    assert [entry.refund_id for entry in s.cap_entries()] == ["old-0", "old-1", "old-2"]
    release = parse_instant(first) + 365 * DAY
    room = s.cap_room()
    assert (room.left, room.next_release_at, room.next_release) == (500_000, release, 3_000_000)
    s.give(bought(500_001, months=36, starts_on="2027-12-01"))
    by_support(s).refused(Code.REFUND_CAP_EXCEEDED)
    by_support(s.at(release - 1)).refused(Code.REFUND_CAP_EXCEEDED)
    assert the_refund(by_support(s.at(release))).amount == 500_001


def test_a_use_older_than_the_window_is_taken_without_effect() -> None:
    s = opened(CSP)
    s.give(position(uses=(use(5_000_000, at=NOW - 365 * DAY),), currency="USD"))
    assert s.cap_room().left == 5_000_000


def test_a_balance_is_owed_and_a_refund_adds_to_it() -> None:
    s = opened()
    s.give(position(cash=1_000, gift=500))
    s.give(purchase(), actor_id="u-1")
    s.give(ticket(300))
    (refund,) = (body for body in s.outcome if isinstance(body, RefundIssued))
    settle(s, refund.refund_id)
    (credited, *_) = s.outcome
    assert isinstance(credited, BalanceCredited)
    s.give(
        CorrectRefund(
            refund_id=refund.refund_id, reason="x", restore_quota=False, restore_cap=False
        )
    )
    stands: dict[str, int] = {}
    for event in s.recorded:
        for one in getattr(event.body, "postings", ()):
            signed = one.amount if one.side is Side.CREDIT else -one.amount
            stands[one.account] = stands.get(one.account, 0) + signed
    assert (stands["balance:cash"], stands["balance:gift"]) == (1_000, 500)
    assert sum(stands.values()) == 0


def test_held_credits_pay_for_the_next_purchase_oldest_first() -> None:
    s = opened(CSP)
    s.give(position(credits=(("k-1", 3_000), ("k-2", 5_000)), currency="USD"))
    s.give(bought(6_000))
    used = [body for body in s.outcome if isinstance(body, HeldCreditConsumed)]
    assert [(one.credit_id, one.amount) for one in used] == [("k-1", 3_000), ("k-2", 3_000)]
    assert s.held_credits() == (HeldCredit(credit_id="k-2", left=2_000),)


@pytest.mark.parametrize(("starts_on", "consumed"), [("2025-12-31", 0), ("2026-01-01", 1)])
def test_a_reservation_of_before_the_position_consumes_none_of_its_credits(
    starts_on: str, consumed: int
) -> None:
    s = opened(CSP)
    s.give(position(as_of="2026-01-01T23:59:59Z", credits=(("k-1", 3_000),), currency="USD"))
    s.give(bought(6_000, starts_on=starts_on))
    assert len(s.outcome) == 1 + consumed


def test_parts_of_a_reservation_that_went_back_before_are_held_no_more() -> None:
    """100.00 for 3, one of them given back on the first day for 33.33, rounded together."""
    s = opened(CSP, at="2027-01-05T08:00:00Z")
    s.give(
        replace(
            bought(10_000, quantity=3, starts_on="2027-01-05"), returned_quantity=1, refunded=3_333
        )
    )
    (event,) = s.outcome
    assert isinstance(event, ReservationPurchased)
    figures = (event.returned_quantity, event.refunded, event.returned_instalment)
    assert (event.quantity, figures) == (3, (1, 3_333, 1))
    by_support(s, quantity=3).refused(Code.INVALID_QUANTITY)
    assert the_refund(by_support(s, quantity=1)).gross == 3_334
    assert the_refund(by_support(s, quantity=1)).gross == 3_333
    assert the_reservation(s).quantity == 0


def test_no_more_goes_back_than_was_paid_less_what_went_back_before() -> None:
    """100.00 for 2; 80.00 went back for one: at most 20.00 for the other, not 50.00."""
    s = opened(CSP)
    s.give(replace(bought(10_000, quantity=2), returned_quantity=1, refunded=8_000))
    assert the_refund(by_support(s)).gross == 2_000


def test_paid_monthly_what_went_back_counts_in_the_instalment_that_runs() -> None:
    """120.00 for 10 units over a year: 10.00 a month; 4 went back on the first day of the third."""
    monthly = bought(12_000, quantity=10, plan=MONTHLY, starts_on="2026-01-05")
    for refunded, number, value in ((400, 3, 600), (0, None, 600), (700, 3, 300)):
        s = opened(CSP, at="2026-03-05T08:00:00Z")
        s.give(replace(monthly, returned_quantity=4, refunded=refunded))
        (event,) = s.outcome
        assert isinstance(event, ReservationPurchased)
        assert event.returned_instalment == number
        assert the_refund(by_support(s)).gross == value


def test_in_the_next_instalment_what_went_back_before_is_over() -> None:
    monthly = bought(12_000, quantity=10, plan=MONTHLY, starts_on="2026-01-05")
    s = opened(CSP, at="2026-03-05T08:00:00Z")
    s.give(replace(monthly, returned_quantity=4, refunded=1_000))
    assert the_refund(by_support(s.at("2026-04-05T00:00:00Z"))).gross == 600


def test_the_new_invoice_shows_what_went_back_before() -> None:
    s = opened(CSP)
    s.give(replace(bought(30_000, quantity=3), returned_quantity=1, refunded=9_000))
    refund = the_refund(by_support(s, quantity=1))
    settle(s, refund.refund_id)
    (invoice,) = (body for body in s.outcome if isinstance(body, InvoiceIssued))
    assert [each.amount for each in invoice.lines] == [30_000, -19_000]
    assert invoice.total == 11_000


def test_of_a_purchase_of_which_something_went_back_only_the_rest_is_left() -> None:
    """Paid 200.00 cash and 100.00 gift; 80.00 and 10.00 went back: 210.00 are left."""
    s = opened()
    s.give(replace(purchase(), refunded=ByFund(cash=8_000, gift=1_000)))
    kept = s.state.find(Purchase, "acct-1", "p-1")
    assert kept is not None
    assert (kept.status, kept.access_revoked) == (PurchaseStatus.REFUNDED, True)
    s.when(application()).refused(Code.ACCESS_REVOKED)
    s.when(ticket(21_001)).refused(Code.EXCEEDS_PAID)
    (refund,) = s.give(ticket(21_000))
    assert isinstance(refund, RefundIssued)
    assert refund.parts == Parts(cash=12_000, gift=9_000)


def test_nothing_that_went_back_leaves_a_purchase_as_it_was() -> None:
    s = opened()
    s.give(replace(purchase(), refunded=ByFund(cash=0, gift=0)))
    s.give(application())
    assert s.the_account().marketplace_refunds_pending == 1


def test_a_commitment_term_may_be_opened_after_it() -> None:
    s = opened(AccountType.EA)
    s.give(position(currency="USD"))
    s.give(OpenCommitmentTerm(term_id="t-1", starts_on=1, ends_on=2, amount=1, currency="USD"))
    assert len(s.the_account().commitment_terms) == 1

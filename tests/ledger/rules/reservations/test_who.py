"""Who: an owner, or support for one; and no self-service for US-Government EA accounts."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import Command, SwapReservation, TransferReservation
from ledger.vocabulary.events import ReservationTransferred
from ledger.vocabulary.shapes import AccountType, Payment, PaymentMethod, Role
from tests.ledger.rules.reservations.stories import (
    BY_INVOICE,
    act,
    back,
    bought,
    exchange,
    exchange_quoted,
    holding,
    names,
    new,
    quote,
    quote_exchange,
    quoted,
    the_reservation,
)
from tests.scenario import Scenario

BY_CARD = Payment(method=PaymentMethod.CARD, card_id="k-1")
OVERAGE = Payment(method=PaymentMethod.OVERAGE)
SWAP = SwapReservation(reservation_id="r-1", sku="Standard_F1s")
HAND_OVER = TransferReservation(reservation_id="r-1", owners=("u-7", "u-8", "u-7"))


def us_government(account_type: AccountType = AccountType.EA) -> Scenario:
    payment = OVERAGE if account_type is AccountType.EA else BY_INVOICE
    return holding(bought(payment=payment), account_type=account_type, us_government=True)


@pytest.mark.parametrize("command", [SWAP, HAND_OVER])
def test_only_an_owner_may(command: Command) -> None:
    s = holding(bought(owners=("u-1", "u-2"))).when(command, actor_id="u-3")
    violation = s.refused(Code.NOT_OWNER).violations[0]
    assert violation.rule == "who"
    assert violation.figures == {"reservation": "r-1", "actor": "u-3", "owners": "u-1, u-2"}
    s.when(command, actor_id="u-2")
    assert "CommandRefused" not in names(s)


@pytest.mark.parametrize("command", [act(), SWAP, HAND_OVER])
def test_support_may_for_an_owner(command: Command) -> None:
    s = holding().when(command, role=Role.SUPPORT, actor_id="s-1")
    assert "CommandRefused" not in names(s)


def test_a_stranger_gets_a_quote_that_lists_it() -> None:
    found = quoted(holding().when(quote(), actor_id="u-3"))
    assert [one.code for one in found.violations] == [Code.NOT_OWNER]


def test_an_exchange_needs_an_owner_of_every_reservation_returned() -> None:
    s = holding(bought(), bought(36_500, "r-2", owners=("u-2",)))
    s.when(quote_exchange((back("r-1"), back("r-2")), (new(80_000),)))
    (violation,) = exchange_quoted(s).violations
    assert (violation.code, violation.figures["reservation"]) == (Code.NOT_OWNER, "r-2")


def test_a_us_government_enterprise_agreement_has_no_self_service() -> None:
    s = us_government()
    codes = [one.code for one in quoted(s.when(quote())).violations]
    assert codes == [Code.ACCOUNT_TYPE_NOT_ELIGIBLE]
    violation = s.when(SWAP).refused(Code.ACCOUNT_TYPE_NOT_ELIGIBLE).violations[0]
    assert violation.rule == "who"
    assert violation.figures == {"account_type": "EA", "us_government": "true"}
    s.when(exchange((back(),), (new(40_000, payment=OVERAGE),)))
    s.refused(Code.ACCOUNT_TYPE_NOT_ELIGIBLE, Code.QUOTE_REQUIRED)


def test_support_passes_that_rule() -> None:
    s = us_government().when(act(), role=Role.SUPPORT)
    assert names(s) == ["ReservationCancelled", "RefundIssued"]


def test_it_may_still_be_handed_over() -> None:
    assert names(us_government().when(HAND_OVER)) == ["ReservationTransferred"]


def test_us_government_csp_accounts_have_self_service() -> None:
    assert quoted(us_government(AccountType.CSP).when(quote())).violations == ()


def test_a_transfer_replaces_the_set_of_owners() -> None:
    s = holding().when(HAND_OVER)
    s.then(ReservationTransferred(reservation_id="r-1", owners=("u-7", "u-8")))
    assert the_reservation(s).owners == ("u-7", "u-8")
    s.when(SWAP).refused(Code.NOT_OWNER)


def test_a_redelivery_stays_quiet() -> None:
    s = holding()
    s.give(HAND_OVER, id="c-1")
    s.when(HAND_OVER, id="c-1").then()


@pytest.mark.parametrize("account_type", [AccountType.PAYG_INVOICE, AccountType.PAYG_CARD])
def test_neither_have_us_government_pay_as_you_go_accounts_less(account_type: AccountType) -> None:
    payment = BY_CARD if account_type is AccountType.PAYG_CARD else BY_INVOICE
    s = holding(bought(payment=payment), account_type=account_type, us_government=True)
    assert quoted(s.when(quote())).violations == ()
    assert names(s.when(SWAP)) == ["ReservationSwapped"]


def test_an_enterprise_agreement_of_anybody_else_has_self_service() -> None:
    s = holding(bought(payment=OVERAGE), account_type=AccountType.EA)
    assert quoted(s.when(quote())).violations == ()
    assert names(s.when(SWAP)) == ["ReservationSwapped"]

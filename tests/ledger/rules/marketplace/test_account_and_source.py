"""Account and source: marketplace purchases are held by ONLINE accounts, once each."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import ConfirmService
from ledger.vocabulary.events import MarketplacePurchaseRecorded, ServiceConfirmed
from ledger.vocabulary.shapes import AccountType, ProductKind, Role
from tests.ledger.rules.marketplace.stories import application, bought, purchase
from tests.scenario import Scenario


def test_an_online_account_holds_purchases() -> None:
    s = Scenario().opened()
    given = purchase()
    s.when(given).then(
        MarketplacePurchaseRecorded(
            purchase_id="p-1",
            product_kind=ProductKind.SAAS,
            vendor_id="v-1",
            buyer_id="u-1",
            paid=given.paid,
            purchased_at=given.purchased_at,
            currency="CNY",
        )
    )


@pytest.mark.parametrize("kind", [kind for kind in AccountType if kind is not AccountType.ONLINE])
def test_no_other_account_does(kind: AccountType) -> None:
    s = Scenario().opened(kind).when(purchase())
    refusal = s.refused(Code.ACCOUNT_TYPE_NOT_ELIGIBLE)
    assert refusal.violations[0].figures == {"account_type": kind}


def test_a_purchase_is_recorded_once() -> None:
    refusal = bought().when(purchase()).refused(Code.ALREADY_EXISTS)
    assert refusal.violations[0].figures == {"purchase": "p-1"}


def test_an_unknown_purchase_is_not_found() -> None:
    refusal = bought().when(application("p-9")).refused(Code.NOT_FOUND)
    assert refusal.violations[0].figures == {"purchase": "p-9"}


def test_a_human_service_is_confirmed_once_by_its_buyer_or_billing() -> None:
    s = bought(ProductKind.HUMAN_SERVICE)
    confirm = ConfirmService(purchase_id="p-1")
    s.when(confirm, role=Role.BUYER, actor_id="u-2").refused(Code.FORBIDDEN)
    s.when(confirm, role=Role.BILLING)
    s.then(ServiceConfirmed(purchase_id="p-1", confirmed_at=s.now))
    s.when(confirm, role=Role.BUYER).refused(Code.WRONG_STATE)


def test_no_other_kind_has_a_service_to_confirm() -> None:
    bought().when(ConfirmService(purchase_id="p-1")).refused(Code.WRONG_STATE)


def test_a_redelivery_stays_quiet() -> None:
    s = Scenario().opened()
    s.give(purchase(), id="c-1")
    s.when(purchase(), id="c-1").then()

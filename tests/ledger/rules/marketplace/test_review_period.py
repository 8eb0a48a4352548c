"""Review period: five calendar days in Shanghai, or until the service is confirmed."""

from __future__ import annotations

import pytest

from ledger.values.instants import parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ConfirmService
from ledger.vocabulary.events import MarketplaceRefundRequested
from ledger.vocabulary.shapes import ProductKind, RefundReason, Role
from tests.ledger.rules.marketplace.stories import SAAS_DUE, application, bought, purchase
from tests.scenario import Scenario

LATE_IN_SHANGHAI = "2026-01-05T15:30:00Z"
LAST_MOMENT = "2026-01-09T15:59:59.999999Z"
OVER = "2026-01-09T16:00:00Z"


def bought_late() -> Scenario:
    s = Scenario(at=LATE_IN_SHANGHAI).opened()
    s.give(purchase(at=LATE_IN_SHANGHAI))
    return s


def test_a_saas_buyer_applies_and_learns_when_it_completes() -> None:
    s = bought()
    s.when(application()).then(
        MarketplaceRefundRequested(
            purchase_id="p-1",
            request_id=s.derived("request"),
            reason=RefundReason.CANNOT_DELIVER,
            due_at=parse_instant(SAAS_DUE),
        )
    )


def test_the_fifth_day_counts_to_its_end_in_shanghai() -> None:
    s = bought_late().at(LAST_MOMENT).when(application())
    assert isinstance(s.outcome[0], MarketplaceRefundRequested)


def test_from_the_end_of_the_fifth_day_it_is_over() -> None:
    refusal = bought_late().at(OVER).when(application()).refused(Code.REVIEW_PERIOD_OVER)
    assert refusal.violations[0].rule == "review_period"
    assert refusal.violations[0].figures == {
        "purchased_at": LATE_IN_SHANGHAI,
        "review_ends_at": OVER,
        "now": OVER,
    }


def test_a_day_begins_at_midnight_in_shanghai_not_in_london() -> None:
    s = Scenario().opened()
    s.give(purchase(at="2026-01-05T16:00:00Z"))
    s.at(OVER).when(application())
    assert isinstance(s.outcome[0], MarketplaceRefundRequested)


def test_a_human_service_is_open_until_it_is_confirmed() -> None:
    s = bought(ProductKind.HUMAN_SERVICE).at("2027-06-01T00:00:00Z").when(application())
    assert isinstance(s.outcome[0], MarketplaceRefundRequested)
    assert s.outcome[0].due_at is None


def test_a_confirmed_human_service_is_over_at_once() -> None:
    s = bought(ProductKind.HUMAN_SERVICE)
    s.give(ConfirmService(purchase_id="p-1"), role=Role.BUYER)
    refusal = s.when(application()).refused(Code.REVIEW_PERIOD_OVER)
    assert refusal.violations[0].figures == {"service_confirmed": "true"}


@pytest.mark.parametrize("kind", [ProductKind.API, ProductKind.IMAGE])
def test_apis_and_images_have_none(kind: ProductKind) -> None:
    refusal = bought(kind).when(application()).refused(Code.NOT_REFUNDABLE)
    assert refusal.violations[0].figures == {"product_kind": kind}


def test_support_standing_in_is_bound_too() -> None:
    s = bought_late().at(OVER).when(application(), role=Role.SUPPORT)
    s.refused(Code.REVIEW_PERIOD_OVER)


def test_a_redelivery_stays_quiet() -> None:
    s = bought()
    s.give(application(), id="c-1")
    s.at(OVER).when(application(), id="c-1").then()

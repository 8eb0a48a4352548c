"""The reactions: each refund and each returned leg of more than nothing is to be settled, once."""

from __future__ import annotations

from consumers.reactions import REACTIONS
from consumers.reactions.settle_refund import settle_refund
from ledger.vocabulary.commands import Command, SettleRefund
from ledger.vocabulary.shapes import Role
from tests.bodies import paid
from tests.ledger.rules.instances import acts
from tests.ledger.rules.reservations.stories import back, bought, exchange, holding, new
from tests.ledger.rules.settlement.stories import given_back, settle
from tests.scenario import Scenario


def asked(s: Scenario) -> list[Command]:
    """What the reaction asks for because of every event so far."""
    return [command for event in s.recorded for command in settle_refund(event)]


def test_a_refund_is_to_be_settled_whatever_it_is_of() -> None:
    s = acts.bought()
    assert asked(s) == []
    refund = acts.returned(s)
    assert asked(s) == [SettleRefund(refund_id=refund.refund_id)]
    held = holding()
    assert asked(held) == []
    assert asked_of(held, given_back(held).refund_id)


def asked_of(s: Scenario, refund_id: str) -> bool:
    return asked(s) == [SettleRefund(refund_id=refund_id)]


def test_a_refund_of_nothing_is_settled_already() -> None:
    s = acts.bought(paid(voucher=100))
    acts.returned(s)
    assert asked(s) == []


def test_each_leg_of_more_than_nothing_is_to_be_settled() -> None:
    s = holding(bought(36_500), bought(1, "r-2"), bought(73_000, "r-3")).at("2026-12-01T00:00:00Z")
    legs = (back("r-1"), back("r-2"), back("r-3"))
    s.give(exchange(legs, (new(40_000),)), role=Role.SUPPORT)
    returned = [
        leg for event in s.recorded for leg in getattr(event.body, "returned", ()) if leg.value
    ]
    assert [leg.reservation_id for leg in returned] == ["r-1", "r-3"]
    assert asked(s) == [SettleRefund(refund_id=leg.refund_id) for leg in returned]


def test_what_it_leads_to_asks_for_nothing_more() -> None:
    s = holding()
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    assert asked_of(s, refund_id)


def test_it_is_shown_every_event_it_answers() -> None:
    ((reaction, shown),) = REACTIONS
    assert reaction is settle_refund
    assert {kind.__name__ for kind in shown} == {"RefundIssued", "ReservationExchanged"}

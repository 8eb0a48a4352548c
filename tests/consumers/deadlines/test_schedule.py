"""Deadlines: which events put them and which cancel them."""

from __future__ import annotations

from consumers.deadlines.schedule import (
    HEEDED,
    CancelDeadline,
    PutDeadline,
    SendAgain,
    attempt_id,
    deadline_changes,
)
from ledger.values.instants import parse_day, parse_instant
from ledger.vocabulary.commands import (
    CompleteOverdueMarketplaceRefund,
    DestroyIsolatedInstance,
    ExpireInstance,
    ExpireReservation,
    RecordMarketplacePurchase,
    RecordReservationPurchase,
    RefundReservation,
    RequestMarketplaceRefund,
    RestoreInstance,
    ReturnInstance,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import InstanceIsolated
from ledger.vocabulary.shapes import (
    AccountType,
    BillingPlan,
    OrderKind,
    Payment,
    PaymentMethod,
    ProductKind,
    RefundReason,
    Role,
)
from tests.bodies import line, order, paid
from tests.scenario import Scenario

OTHER = RefundReason.OTHER


def story() -> Scenario:
    """An instance ordered on 5 January for a year, returned by support two days later."""
    told = Scenario().at("2026-01-05T08:00:00Z").opened()
    told.give(order("o-1", line("i-1"), starts_at=told.now))
    return told


def returned(told: Scenario) -> RecordedEvent:
    """Support returns the instance without a quote; the isolation."""
    told.give(ReturnInstance(instance_id="i-1", acknowledged=True), role=Role.SUPPORT)
    return next(each for each in told.recorded if isinstance(each.body, InstanceIsolated))


def put_by(recorded: RecordedEvent) -> list[PutDeadline]:
    return [each for each in deadline_changes(recorded) if isinstance(each, PutDeadline)]


def cancelled_by(recorded: RecordedEvent) -> list[str]:
    changes = deadline_changes(recorded)
    return [each.deadline_id for each in changes if isinstance(each, CancelDeadline)]


def test_an_order_puts_the_expiry_of_each_of_its_instances() -> None:
    (put,) = put_by(story().recorded[-1])
    assert put.command.body == ExpireInstance(instance_id="i-1", order_id="o-1")
    assert put.deadline_id == "acct-1/expiry/i-1"


def test_the_same_event_puts_the_same_command_id_again() -> None:
    recorded = story().recorded[-1]
    assert put_by(recorded) == put_by(recorded)
    assert put_by(recorded)[0].command.meta.causation_id == recorded.meta.event_id


def test_an_isolation_takes_off_the_expiry_and_puts_the_destruction() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    isolated = returned(told)
    (put,) = put_by(isolated)
    assert isinstance(put.command.body, DestroyIsolatedInstance)
    assert put.due_at == told.now + 7 * 24 * 3600 * 1_000_000
    assert cancelled_by(isolated) == ["acct-1/expiry/i-1"]


def test_a_renewal_in_time_takes_off_the_destruction() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    destruction = put_by(returned(told))[0].deadline_id
    told.give(order("o-2", line("i-1"), starts_at=told.now, kind=OrderKind.RENEWAL))
    assert cancelled_by(told.recorded[-1]) == [destruction]
    told.give(RestoreInstance(instance_id="i-1", renewal_order_id="o-2"))
    assert cancelled_by(told.recorded[-1]) == [destruction]


def test_every_event_that_changes_a_deadline_is_heeded() -> None:
    told = story().at("2026-01-07T08:00:00Z")
    returned(told)
    for recorded in told.recorded:
        assert (recorded.name in HEEDED) or not list(deadline_changes(recorded))


def test_an_application_puts_its_completion_and_every_answer_takes_it_off() -> None:
    told = Scenario().at("2026-01-05T08:00:00Z").opened()
    told.give(purchase_of(told))
    told.give(RequestMarketplaceRefund(purchase_id="p-1", reason=OTHER, acknowledged=True))
    (put,) = put_by(told.recorded[-1])
    assert put.due_at == parse_instant("2026-01-08T16:00:00Z")
    assert put.command.body == CompleteOverdueMarketplaceRefund(
        purchase_id="p-1", request_id=told.derived("request")
    )
    told.give(WithdrawMarketplaceRefund(purchase_id="p-1"))
    assert cancelled_by(told.recorded[-1]) == [put.deadline_id]


def purchase_of(told: Scenario) -> RecordMarketplacePurchase:
    return RecordMarketplacePurchase(
        purchase_id="p-1",
        product_kind=ProductKind.SAAS,
        vendor_id="u-1",
        buyer_id="u-1",
        paid=paid(30_000),
        purchased_at=told.now,
        currency="CNY",
    )


def reservation(reservation_id: str) -> RecordReservationPurchase:
    return RecordReservationPurchase(
        reservation_id=reservation_id,
        product_type="VirtualMachines",
        sku="Standard_F1",
        region="westeurope",
        quantity=2,
        term_months=12,
        starts_on=parse_day("2026-01-05"),
        total=120_000,
        billing_plan=BillingPlan.UPFRONT,
        payment=Payment(method=PaymentMethod.INVOICE),
        owners=("u-1",),
        currency="USD",
    )


def test_a_reservation_puts_the_end_of_its_term_and_giving_all_back_takes_it_off() -> None:
    told = Scenario().at("2026-01-05T08:00:00Z").opened(AccountType.CSP, "USD")
    told.give(reservation("r-1"))
    (put,) = put_by(told.recorded[-1])
    assert put.due_at == parse_instant("2027-01-05T00:00:00Z")
    assert put.command.body == ExpireReservation(reservation_id="r-1")
    half = RefundReservation(reservation_id="r-1", quantity=1, usd_rate="1", acknowledged=True)
    told.give(half, role=Role.SUPPORT)
    cancelled = [each for recorded in told.recorded for each in cancelled_by(recorded)]
    assert cancelled == []
    told.give(half, role=Role.SUPPORT, id="the-rest")
    cancelled = [each for recorded in told.recorded for each in cancelled_by(recorded)]
    assert cancelled == [put.deadline_id]


def too_early(told: Scenario, put: PutDeadline) -> RecordedEvent:
    """The deadline's command is decided before its time: a refusal."""
    told.give(put.command.body, role=Role.SYSTEM, id=put.command.meta.command_id)
    return told.recorded[-1]


def test_a_command_that_came_too_early_is_to_be_sent_again() -> None:
    told = story()
    (put,) = put_by(told.recorded[-1])
    refused = too_early(told, put)
    assert refused.name in HEEDED
    command_id = put.command.meta.command_id
    assert list(deadline_changes(refused)) == [SendAgain(command_id=command_id)]


def test_every_attempt_has_an_id_of_its_own_and_always_the_same() -> None:
    (put,) = put_by(story().recorded[-1])
    ids = [attempt_id(put.command, put.deadline_id, attempt) for attempt in (1, 2, 3, 2)]
    assert ids[0] == put.command.meta.command_id
    assert len(set(ids)) == 3
    assert ids[1] == ids[3]

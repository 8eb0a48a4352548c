"""A log with every way of settlement, and corrections, is sound; what is planted in it is found."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from ledger.audit import audit
from ledger.values.instants import DAY, day_of
from ledger.vocabulary.commands import (
    ChangeCard,
    Command,
    ConfirmCardRefund,
    FailCardRefund,
    OpenAccount,
    SettleRefund,
)
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    CardRefundRequested,
    CreditHeld,
    Event,
    RefundCorrected,
    RefundIssued,
    RefundSettled,
    ReservationExchanged,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import AccountType, Actor, Payment, PaymentMethod, Role
from ledger.wire.avro.codec import decode_event
from tests.ledger.audit.ledgers import BILLING, MemoryLedger
from tests.ledger.audit.recorded import RecordedLog
from tests.ledger.rules.reservations.stories import act, back, bought, exchange, new
from tests.ledger.rules.settlement.stories import correct, on_invoice

SUPPORT = Actor(id="s-1", role=Role.SUPPORT)
CARD = Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-c")


class Told:
    """Commands to one ledger, one after another, and the refunds that came of them."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.commands = 0

    def give(self, account: str, body: Command, actor: Actor = SUPPORT) -> None:
        self.commands += 1
        self.ledger.give(account, f"c-{self.commands}", actor, body)

    def refunds(self, account: str) -> list[str]:
        """The refunds of an account so far, legs too, in order."""
        found: list[str] = []
        for event in self.events(account):
            if isinstance(event, RefundIssued):
                found.append(event.refund_id)
            if isinstance(event, ReservationExchanged):
                found += [leg.refund_id for leg in event.returned]
        return found

    def events(self, account: str) -> list[Event]:
        """The bodies of an account's events so far, in order."""
        log = self.ledger.recorded()
        partitions = range(log.partition_count)
        records = [record for partition in partitions for record in log.events(partition)]
        decoded = [decode_event(record.value) for record in records]
        return [event.body for event in decoded if event.meta.account_id == account]


@cache
def everything() -> RecordedLog:
    """A CSP and a card account: refunds, an exchange, held credit, answers of the gateway."""
    t = Told()
    for account, kind in (("csp", AccountType.CSP), ("card", AccountType.PAYG_CARD)):
        t.give(
            account, OpenAccount(account_type=kind, us_government=False, currency="USD"), BILLING
        )
    _invoices(t)
    _cards(t)
    return t.ledger.recorded()


def _invoices(t: Told) -> None:
    today = day_of(t.ledger.now, "UTC")
    for place in (1, 2, 3):
        one = bought(30_000, f"r-{place}", quantity=3, payment=on_invoice("inv-1"))
        t.give("csp", replace(one, starts_on=today), BILLING)
    t.ledger.now += 30 * DAY
    t.give("csp", act("r-1", 1))
    t.give("csp", act("r-1", 1))
    first, second = t.refunds("csp")
    t.give("csp", correct(first, cap=True))
    t.give("csp", exchange((back("r-2"), back("r-3", 1)), (new(60_000),)))
    t.give("csp", correct(t.refunds("csp")[2]))
    t.give("csp", correct(second))
    t.give("csp", act("r-1", 1))


def _cards(t: Told) -> None:
    today = day_of(t.ledger.now, "UTC")
    for place in (1, 2):
        one = bought(30_000, f"r-{place}", quantity=3, payment=CARD)
        t.give("card", replace(one, starts_on=today), BILLING)
    t.give("card", act("r-1", 1))
    t.give(
        "card", ConfirmCardRefund(refund_id=t.refunds("card")[0], gateway_reference="g"), BILLING
    )
    t.give("card", act("r-1", 1))
    failed = t.refunds("card")[1]
    t.give("card", FailCardRefund(refund_id=failed, gateway_reference="g"), BILLING)
    t.give("card", SettleRefund(refund_id=failed, card_id="k-2"))
    t.give("card", ConfirmCardRefund(refund_id=failed, gateway_reference="g"), BILLING)
    t.give("card", correct(failed))
    t.give("card", ChangeCard(card_id="k-2"), BILLING)
    t.give("card", act("r-2", 1))
    t.give("card", correct(t.refunds("card")[2]))


def test_every_way_of_settlement_breaks_no_claim() -> None:
    assert audit(everything(), "anybody").divergences == ()


def test_all_of_it_is_in_the_log() -> None:
    names = {type(body).__name__ for body in _bodies(everything())}
    assert names >= {
        "CardRefundRequested",
        "CreditHeld",
        "HeldCreditConsumed",
        "InvoiceCancelled",
        "InvoiceIssued",
        "RefundCorrected",
        "RefundHeld",
        "RefundSettled",
        "ReservationExchanged",
        "SupportTaskOpened",
    }


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        (RefundCorrected, {"postings": ()}, "nothing left on"),
        (CreditHeld, {"amount": 1}, "amount"),
        (CardRefundRequested, {"amount": 1}, "amount"),
    ],
)
def test_a_planted_fault_is_found(kind: type[Event], changes: dict[str, Any], says: str) -> None:
    log = everything().copied()
    log.forge(kind, **changes)
    found = {each.check: each for each in audit(log, "anybody").divergences}
    assert says in found["refund_progress"].expected


def test_a_correction_while_a_card_refund_is_under_way_is_found() -> None:
    """The gateway's answer about the refund that is corrected next never came."""
    log = everything().copied()
    corrected = [body.refund_id for body in _bodies(log) if isinstance(body, RefundCorrected)]
    nth = next(
        nth
        for nth, body in enumerate(body for body in _bodies(log) if isinstance(body, RefundSettled))
        if body.gateway_reference is not None and body.refund_id in corrected
    )
    partition, place = log.find(RefundSettled, nth)
    log.alter(partition, place, _without_answer)
    log.reseal(partition)
    found = {each.check: each for each in audit(log, "anybody").divergences}
    assert "while a card refund is under way" in found["refund_progress"].expected
    assert found["gateway_answers"].expected == "every card refund answered"


def _without_answer(event: RecordedEvent) -> RecordedEvent:
    assert isinstance(event.body, RefundSettled)
    task = SupportTaskOpened(task_id="t-1", refund_id=event.body.refund_id, reason="no answer")
    return replace(event, body=task)


def _bodies(log: RecordedLog) -> list[Event]:
    partitions = range(log.partition_count)
    records = (record for partition in partitions for record in log.events(partition))
    return [decode_event(record.value).body for record in records]

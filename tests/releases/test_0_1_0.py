"""A log of release 0.1.0 is proven, rebuilt and continued; its verdicts stay as they were."""

from __future__ import annotations

import psycopg
import pytest

from consumers.deciding.decider import GROUP
from consumers.follow_ups import command_record
from ledger.audit import audit
from ledger.audit.checks import CHECKS
from ledger.log.seam import Topic
from ledger.state import MemoryState, evolve
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    Command,
    ConfirmCardRefund,
    FailCardRefund,
    RecordMarketplacePurchase,
    RefundReservation,
    SettleRefund,
)
from ledger.vocabulary.envelope import (
    FIRST_EDITION,
    NEWEST_EDITION,
    CommandMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.events import (
    CardRefundRequested,
    CommandRefused,
    InvoiceIssued,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import Actor, Role
from ledger.wire.avro.codec import UnreadableRecord, decode_command, decode_event
from projector.migrations import migrate
from projector.reconciling.reconcile import reconcile
from tests.ledger.audit.recorded import RecordedLog
from tests.projector.conftest import catch_up
from tests.projector.stories import MemorySource
from tests.releases.logs import AFTER, Continued, records_of

RELEASE = "0.1.0"


def events(ledger: Continued) -> list[RecordedEvent]:
    return [decode_event(record.value) for record in ledger.cluster.replay(Topic.EVENTS)]


def give(
    ledger: Continued, account: str, command_id: str, body: Command, role: Role
) -> list[RecordedEvent]:
    """Given by this version; what it led to."""
    length = len(events(ledger))
    meta = CommandMeta(
        command_id=command_id,
        account_id=account,
        actor=Actor(id="s-1", role=role),
        sandbox_at=AFTER,
    )
    ledger.cluster.publish([command_record(GivenCommand(meta=meta, body=body), 1)])
    ledger.decided()
    return events(ledger)[length:]


def test_every_check_finds_it_clean() -> None:
    report = audit(RecordedLog(Continued(RELEASE).cluster, GROUP), "anybody")
    assert report.divergences == ()
    assert len(report.checks) == len(CHECKS)
    assert report.commands > 50


def test_its_events_say_the_first_edition_and_their_fold_is_whole() -> None:
    state = MemoryState()
    for recorded in events(Continued(RELEASE)):
        assert recorded.meta.edition == FIRST_EDITION
        state.apply(evolve(state, recorded))
    assert len(state.entities()) > 50


def test_what_the_edge_rejects_today_was_decided_then() -> None:
    bought = [
        record
        for record in records_of(RELEASE)[Topic.COMMANDS]
        if isinstance(
            decode_command(record.key, record.value, FIRST_EDITION).body,
            RecordMarketplacePurchase,
        )
    ]
    assert len(bought) == 1
    with pytest.raises(UnreadableRecord, match="vendor_id"):
        decode_command(bought[0].key, bought[0].value)


def test_it_goes_on_by_the_rules_of_today_and_stays_clean() -> None:
    ledger = Continued(RELEASE)
    body = RefundReservation(reservation_id="q-2", quantity=1, usd_rate="1", acknowledged=True)
    (_, issued) = give(ledger, "a-inv", "n-1", body, Role.SUPPORT)
    assert isinstance(issued.body, RefundIssued)
    assert issued.meta.edition == NEWEST_EDITION
    settle = SettleRefund(refund_id=issued.body.refund_id)
    (invoice,) = (
        event.body
        for event in give(ledger, "a-inv", "n-2", settle, Role.SYSTEM)
        if isinstance(event.body, InvoiceIssued)
    )
    shown = {each.reservation_id: (each.price, each.refunded) for each in invoice.purchases}
    assert shown["n-2"] == (15_000, 0)
    assert shown["q-2"][0] == 10_000
    assert invoice.total >= 0
    failed = FailCardRefund(refund_id="r-404", gateway_reference="g-9", reason="unknown card")
    give(ledger, "a-card", "n-3", failed, Role.BILLING)
    report = audit(RecordedLog(ledger.cluster, GROUP), "anybody")
    assert report.divergences == ()


def test_a_gateway_that_was_not_believed_then_is_believed_now() -> None:
    """It had failed attempt 1 and confirmed attempt 2; what it said after that was refused."""
    ledger = Continued(RELEASE)
    told = [event.body for event in events(ledger)]
    (held,) = (body for body in told if isinstance(body, RefundHeld))
    late = ConfirmCardRefund(refund_id=held.refund_id, gateway_reference="g-late", attempt=1)
    overpaid, task = give(ledger, "a-card", "n-1", late, Role.BILLING)
    assert isinstance(overpaid.body, RefundOverpaid)
    assert isinstance(task.body, SupportTaskOpened)
    assert (overpaid.body.attempt, task.body.reason) == (1, "PAID_TWICE")
    (again,) = give(ledger, "a-card", "n-2", late, Role.BILLING)
    third = ConfirmCardRefund(refund_id=held.refund_id, gateway_reference="g-3", attempt=3)
    (never,) = give(ledger, "a-card", "n-3", third, Role.BILLING)
    assert [code_of(again), code_of(never)] == [Code.WRONG_STATE, Code.NOT_FOUND]
    asked = next(body for body in told if isinstance(body, CardRefundRequested))
    first = ConfirmCardRefund(refund_id=asked.refund_id, gateway_reference="g-1")
    (settled,) = give(ledger, "a-card", "n-4", first, Role.BILLING)
    assert isinstance(settled.body, RefundSettled)
    assert settled.body.attempt == 1
    assert audit(RecordedLog(ledger.cluster, GROUP), "anybody").divergences == ()


def code_of(refused: RecordedEvent) -> Code:
    """Why it was refused."""
    assert isinstance(refused.body, CommandRefused)
    return refused.body.violations[0].code


@pytest.mark.integration
def test_the_read_models_are_rebuilt_from_it_and_agree_with_a_second_fold(database: str) -> None:
    migrate(database)
    values = [record.value for record in records_of(RELEASE)[Topic.EVENTS] if record.value]
    source = MemorySource(1)
    source.append({0: values})
    catch_up(database, source)
    assert reconcile(database, source).divergences == ()
    with psycopg.connect(database) as connection:
        ((difference,),) = connection.execute(
            "SELECT sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) FROM finance.postings"
        ).fetchall()
        ((count,),) = connection.execute("SELECT count(*) FROM finance.refunds").fetchall()
    assert (difference, count > 9) == (0, True)

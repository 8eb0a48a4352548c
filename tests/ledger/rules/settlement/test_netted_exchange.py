"""An exchange paid by invoice: one new invoice shows refunds and purchases, netted."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.state.entities import RefundStatus
from ledger.values.refusal import Code
from ledger.vocabulary.commands import SettleRefund
from ledger.vocabulary.events import InvoiceCancelled, InvoiceIssued, RefundSettled
from ledger.vocabulary.shapes import InvoiceLine, InvoiceLineKind, Role
from tests.ledger.rules.reservations.stories import (
    back,
    bought,
    exchange,
    exchanged,
    holding,
    names,
    new,
    refund_entity,
)
from tests.ledger.rules.settlement.stories import (
    NO_INVOICE,
    correct,
    given_back,
    moved,
    net,
    on_invoice,
    on_it,
    settle,
    traded,
)
from tests.ledger.rules.settlement.test_by_invoice import cancelled, invoice, shown


def test_19_800_less_3_960_is_an_invoice_of_15_840() -> None:
    s = holding(bought(1_980_000)).at("2026-10-24T09:00:00Z")
    leg = traded(s, "r-1", total=1_980_000).returned[0]
    settle(s, leg.refund_id)
    s.then(
        InvoiceCancelled(invoice_id="inv-1", refund_id=leg.refund_id),
        InvoiceIssued(
            invoice_id=s.derived("invoice"),
            refund_id=leg.refund_id,
            lines=(
                InvoiceLine(kind=InvoiceLineKind.PURCHASE, amount=1_980_000),
                InvoiceLine(kind=InvoiceLineKind.REFUND, amount=-396_000),
            ),
            total=1_584_000,
            purchases=(on_it("r-9", 1_980_000, quantity=2, netted=396_000),),
            currency="USD",
        ),
        RefundSettled(
            refund_id=leg.refund_id,
            postings=moved("refund_payable", "receivable", 396_000),
            currency="USD",
        ),
    )
    assert net(s)["receivable"] == 1_980_000 + 1_584_000
    assert refund_entity(s, leg.refund_id).status is RefundStatus.SETTLED


def test_the_first_leg_to_be_settled_issues_the_one_invoice() -> None:
    s = holding(
        bought(10_000, payment=on_invoice("inv-1")),
        bought(20_000, "r-2", payment=on_invoice("inv-2")),
        bought(30_000, "r-3", payment=on_invoice("inv-1")),
        bought(40_000, "r-4", payment=NO_INVOICE),
    )
    legs = traded(s, "r-1", "r-2", "r-3", "r-4", total=100_000).returned
    settle(s, legs[1].refund_id)
    assert names(s) == ["InvoiceCancelled", "InvoiceCancelled", "InvoiceIssued", "RefundSettled"]
    assert cancelled(s) == ["inv-1", "inv-2"]
    assert (invoice(s).lines, invoice(s).total) == (shown(100_000, 100_000), 0)
    for leg in (legs[0], legs[2], legs[3]):
        settle(s, leg.refund_id)
        assert names(s) == ["RefundSettled"]


def test_it_is_issued_where_no_returned_purchase_had_one() -> None:
    s = holding(bought(payment=NO_INVOICE))
    settle(s, traded(s, "r-1").returned[0].refund_id)
    assert names(s) == ["InvoiceIssued", "RefundSettled"]


def test_it_bears_the_id_that_the_new_purchase_names() -> None:
    s = holding()
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    settle(s, exchanged(s).returned[0].refund_id)
    assert (cancelled(s), invoice(s).invoice_id) == (["inv-1"], "inv-2")


def test_an_id_that_is_taken_is_not_given_twice() -> None:
    s = holding()
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-1")),)), role=Role.SUPPORT)
    settle(s, exchanged(s).returned[0].refund_id)
    assert (cancelled(s), invoice(s).invoice_id) == (["inv-1"], s.derived("invoice"))


def test_a_later_refund_of_the_new_one_cancels_it() -> None:
    s = holding()
    settle(s, traded(s, "r-1").returned[0].refund_id)
    netted = invoice(s).invoice_id
    settle(s, given_back(s, "r-9").refund_id)
    assert cancelled(s) == [netted]
    assert invoice(s).lines == shown(40_000, 40_000)


def test_a_refund_of_the_new_one_may_be_settled_first() -> None:
    s = holding()
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    leg = exchanged(s).returned[0]
    settle(s, given_back(s, "r-9").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(40_000, 40_000))
    first = invoice(s).invoice_id
    settle(s, leg.refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-1", first], shown(40_000, 40_000))
    assert invoice(s).invoice_id != "inv-2"


def test_a_part_that_is_kept_is_refunded_on_the_netted_invoice() -> None:
    s = holding(bought(30_000, quantity=3))
    legs = (back("r-1", 1),)
    s.give(exchange(legs, (new(40_000, payment=NO_INVOICE),)), role=Role.SUPPORT)
    settle(s, exchanged(s).returned[0].refund_id)
    netted = invoice(s).invoice_id
    settle(s, given_back(s, "r-1").refund_id)
    assert (cancelled(s), invoice(s).lines) == ([netted], shown(60_000, 30_000))


def test_a_leg_corrected_before_is_neither_settled_nor_shown() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    first, second = traded(s, "r-1", "r-2").returned
    s.give(correct(first.refund_id))
    s.when(SettleRefund(refund_id=first.refund_id)).refused(Code.WRONG_STATE)
    settle(s, second.refund_id)
    assert (invoice(s).lines, invoice(s).total) == (shown(40_000, 20_000), 20_000)


def test_a_leg_corrected_after_is_taken_off_the_next_invoice() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    first, second = traded(s, "r-1", "r-2").returned
    settle(s, first.refund_id)
    settle(s, second.refund_id)
    s.give(correct(first.refund_id))
    settle(s, given_back(s, "r-9").refund_id)
    assert invoice(s).lines == shown(40_000, 40_000)


def test_worthless_legs_leave_the_new_purchase_on_its_own_invoice() -> None:
    s = holding(bought(1)).at("2026-12-01T00:00:00Z")
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    assert names(s) == ["ReservationExchanged", "RefundSettled"]
    settle(s, given_back(s, "r-9").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(40_000, 40_000))


def test_a_redelivery_stays_quiet() -> None:
    s = holding()
    command = SettleRefund(refund_id=traded(s, "r-1").returned[0].refund_id)
    s.give(command, id="f-1")
    s.when(command, id="f-1").then()
    s.when(command, id="f-2").refused(Code.WRONG_STATE)
    assert s.folded().entities() == s.state.entities()
    s.when(replace(command, refund_id="r-77")).refused(Code.NOT_FOUND)

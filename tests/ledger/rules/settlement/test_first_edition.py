"""What release 0.1.0 decided about documents is decided so again in its own edition."""

from __future__ import annotations

from ledger.vocabulary.envelope import FIRST_EDITION
from ledger.vocabulary.shapes import Role
from tests.ledger.rules.reservations.stories import back, bought, exchange, exchanged, holding, new
from tests.ledger.rules.settlement.stories import (
    NO_INVOICE,
    correct,
    given_back,
    on_invoice,
    settle,
)
from tests.ledger.rules.settlement.test_by_invoice import cancelled, invoice, shown


def test_what_else_stood_on_the_cancelled_invoices_was_not_carried() -> None:
    others = (bought(20_000, "r-2"), bought(5_000, "r-3", payment=NO_INVOICE))
    s = holding(bought(10_000), *others)
    s.edition = FIRST_EDITION
    legs = (back("r-1"), back("r-3"))
    s.give(exchange(legs, (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    first, second = exchanged(s).returned
    settle(s, first.refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-1"], shown(40_000, 15_000))
    assert invoice(s).purchases == ()
    settle(s, second.refund_id)
    settle(s, given_back(s, "r-2").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(40_000, 35_000))


def test_legs_corrected_before_left_no_invoice() -> None:
    s = holding(bought(10_000))
    s.edition = FIRST_EDITION
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    s.give(correct(exchanged(s).returned[0].refund_id))
    settle(s, given_back(s, "r-9").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(40_000, 40_000))


def test_the_next_edition_shows_again_what_was_lost() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    s.edition = FIRST_EDITION
    s.give(exchange((back(),), (new(40_000, payment=on_invoice("inv-2")),)), role=Role.SUPPORT)
    settle(s, exchanged(s).returned[0].refund_id)
    s.edition += 1
    settle(s, given_back(s, "r-9").refund_id)
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(60_000, 40_000))

"""What stays stays invoiced: each purchase on one standing invoice, with its price and refunds."""

from __future__ import annotations

from ledger.vocabulary.shapes import AccountType, Payment, PaymentMethod, Role
from tests.ledger.rules.reservations.stories import back, bought, exchange, exchanged, holding, new
from tests.ledger.rules.settlement.stories import correct, given_back, on_invoice, on_it, settle
from tests.ledger.rules.settlement.test_by_invoice import cancelled, invoice, shown
from tests.scenario import Scenario

CARD = Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-1")
CARD_9 = Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-9")


def trade(s: Scenario, total: int, *, quantity: int | None = None, settled: bool = True) -> str:
    """All or a part of r-1 for n-1 on inv-2; the refund's id of the leg."""
    purchase = new(total, "n-1", payment=on_invoice("inv-2"))
    s.give(exchange((back("r-1", quantity),), (purchase,)), role=Role.SUPPORT)
    (leg,) = exchanged(s).returned
    if settled:
        settle(s, leg.refund_id)
    return leg.refund_id


def refund(s: Scenario, reservation_id: str, quantity: int | None = None) -> str:
    """Given back and settled; the refund's id."""
    refund_id = given_back(s, reservation_id, quantity).refund_id
    settle(s, refund_id)
    return refund_id


def test_two_purchases_of_one_exchange_add_up_on_their_invoice() -> None:
    s = holding(bought(10_000, payment=CARD), account_type=AccountType.PAYG_CARD)
    purchases = (new(10_000, "n-1", payment=CARD_9), new(20_000, "n-2", payment=CARD_9))
    s.give(exchange((back(),), purchases), role=Role.SUPPORT)
    settle(s, exchanged(s).returned[0].refund_id)
    refund(s, "n-1")
    assert (cancelled(s), invoice(s).lines) == (["inv-9"], shown(30_000, 10_000))
    assert invoice(s).total == 20_000


def test_another_reservation_is_carried_to_the_new_invoice() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    trade(s, 15_000)
    assert (cancelled(s), invoice(s).lines) == (["inv-1"], shown(35_000, 10_000))
    assert invoice(s).total == 25_000
    assert invoice(s).purchases == (
        on_it("r-2", 20_000, carried=True),
        on_it("n-1", 15_000, netted=10_000, quantity=2),
    )
    refund(s, "r-2")
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(35_000, 30_000))
    assert invoice(s).total == 5_000


def test_the_units_kept_are_carried_at_their_price() -> None:
    s = holding(bought(20_000, quantity=2))
    trade(s, 15_000, quantity=1)
    assert (invoice(s).lines, invoice(s).total) == (shown(25_000, 10_000), 15_000)


def test_what_was_refunded_of_the_units_kept_is_carried_too() -> None:
    s = holding(bought(30_000, quantity=3))
    refund(s, "r-1", 1)
    trade(s, 15_000, quantity=1)
    assert (invoice(s).lines, invoice(s).total) == (shown(35_000, 20_000), 15_000)
    kept = on_it("r-1", 20_000, quantity=2, refunded=10_000, carried=True)
    assert invoice(s).purchases[0] == kept


def test_a_refund_stays_shown_when_the_rest_goes_in_an_exchange() -> None:
    s = holding(bought(20_000, quantity=2))
    refund(s, "r-1", 1)
    trade(s, 15_000)
    assert (invoice(s).lines, invoice(s).total) == (shown(25_000, 20_000), 5_000)


def test_a_refund_above_the_price_of_what_is_kept_makes_no_negative_total() -> None:
    s = holding(bought(30_001, quantity=2))
    refund(s, "r-1", 1)
    trade(s, 40_000)
    assert invoice(s).purchases[0] == on_it(
        "r-1", 15_001, quantity=1, refunded=15_001, carried=True
    )


def test_the_value_of_a_leg_goes_with_what_it_paid_for() -> None:
    s = holding(bought(10_000))
    trade(s, 25_000)
    refund(s, "n-1")
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(25_000, 25_000))
    assert invoice(s).total == 0


def test_of_a_part_given_back_the_value_is_shown_as_far_as_it_is_used() -> None:
    s = holding(bought(10_000))
    trade(s, 25_000)
    refund(s, "n-1", 1)
    assert (invoice(s).lines, invoice(s).total) == (shown(25_000, 22_500), 2_500)


def test_a_value_pays_for_the_purchases_in_their_order() -> None:
    s = holding(bought(12_000))
    first = new(10_000, "n-1", payment=on_invoice("inv-2"))
    second = new(20_000, "n-2", payment=on_invoice("inv-2"))
    s.give(exchange((back(),), (first, second)), role=Role.SUPPORT)
    (leg,) = exchanged(s).returned
    settle(s, leg.refund_id)
    assert [each.netted for each in invoice(s).purchases] == [10_000, 2_000]
    s.give(correct(leg.refund_id))
    refund(s, "n-2")
    assert (invoice(s).lines, invoice(s).total) == (shown(30_000, 20_000), 10_000)


def test_a_corrected_refund_lets_the_value_be_shown_again() -> None:
    s = holding(bought(10_000))
    trade(s, 25_000)
    s.give(correct(refund(s, "n-1", 1)))
    refund(s, "n-1", 1)
    assert invoice(s).lines == shown(25_000, 22_500)


def test_a_corrected_leg_takes_its_value_off() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    s.give(correct(trade(s, 15_000)))
    refund(s, "r-2")
    assert (invoice(s).lines, invoice(s).total) == (shown(35_000, 20_000), 15_000)


def test_where_every_leg_is_corrected_before_the_purchase_stands_on_its_own_invoice() -> None:
    s = holding(bought(10_000))
    s.give(correct(trade(s, 15_000, settled=False)))
    refund(s, "n-1")
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(15_000, 15_000))


def test_a_purchase_that_nothing_was_netted_with_stands_once_when_its_leg_is_corrected() -> None:
    s = holding(bought(1, quantity=3))
    s.give(correct(trade(s, 15_000, quantity=1, settled=False)))
    refund(s, "n-1")
    assert (cancelled(s), invoice(s).lines) == (["inv-2"], shown(15_000, 15_000))
    assert len(invoice(s).purchases) == 1

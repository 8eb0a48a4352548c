"""Act on a quote: a refund or exchange is what was quoted, confirmed and acknowledged."""

from __future__ import annotations

import pytest

from ledger.state.entities import Quote, QuoteStatus
from ledger.values.instants import DAY, MINUTE
from ledger.values.refusal import Code
from ledger.vocabulary.commands import Command
from ledger.vocabulary.shapes import Payment, PaymentMethod, Role
from tests.ledger.rules.reservations.stories import (
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
    the_refund,
)
from tests.scenario import Scenario


def with_quote() -> tuple[Scenario, str]:
    """3 held, 1 quoted at 100.00."""
    s = holding(bought(30_000, quantity=3))
    return s, quoted(s.when(quote(quantity=1))).quote_id


def changed(s: Scenario) -> dict[str, str]:
    return s.refused(Code.QUOTE_CHANGED).violations[0].figures


def test_what_was_quoted_and_confirmed_is_done_and_the_quote_is_used_up() -> None:
    s, quote_id = with_quote()
    s.when(act(quantity=1, quote_id=quote_id, amount=10_000))
    assert names(s) == ["ReservationCancelled", "RefundIssued"]
    assert the_refund(s).quote_id == quote_id
    used = s.state.find(Quote, s.account, quote_id)
    assert used is not None
    assert used.status is QuoteStatus.USED
    s.when(act(quantity=1, quote_id=quote_id, amount=10_000)).refused(Code.QUOTE_USED)


@pytest.mark.parametrize("command", [act(), exchange((back(),), (new(40_000),))])
def test_an_owner_needs_a_quote_and_must_acknowledge(command: Command) -> None:
    holding().when(command).refused(Code.QUOTE_REQUIRED)


@pytest.mark.parametrize(
    "command", [act(acknowledged=False), exchange((back(),), (new(40_000),), acknowledged=False)]
)
def test_support_needs_no_quote_but_acknowledges(command: Command) -> None:
    holding().when(command, role=Role.SUPPORT).refused(Code.NOT_ACKNOWLEDGED)


def test_the_expiry_instant_still_holds_and_later_does_not() -> None:
    s, quote_id = with_quote()
    command = act(quantity=1, quote_id=quote_id, amount=10_000)
    s.later(15 * MINUTE + 1).when(command).refused(Code.QUOTE_EXPIRED)
    s.later(-1).when(command)
    assert names(s) == ["ReservationCancelled", "RefundIssued"]


def test_over_midnight_a_day_less_remains_and_the_quote_has_changed() -> None:
    s = holding().at("2026-01-05T23:59:00Z")
    quote_id = quoted(s.when(quote())).quote_id
    s.later(MINUTE).when(act(quote_id=quote_id, amount=36_500))
    assert changed(s) == {
        "amount_quoted": "365.00",
        "amount_now": "364.00",
        "parts_quoted": "original 365.00",
        "parts_now": "original 364.00",
        "confirmed_amount_quoted": "365.00",
        "confirmed_amount_now": "364.00",
    }


def test_other_parameters_are_another_act() -> None:
    s, quote_id = with_quote()
    s.when(act(quantity=2, quote_id=quote_id, amount=10_000))
    assert changed(s)["quantity_quoted"] == "1"
    s.when(act(quantity=1, rate="1.0", quote_id=quote_id, amount=10_001))
    assert set(changed(s)) == {"confirmed_amount_quoted", "confirmed_amount_now"}


def test_another_rate_is_another_act() -> None:
    s = holding(bought(currency="EUR"), currency="EUR")
    quote_id = quoted(s.when(quote(rate="1.1"))).quote_id
    command = act(rate="1.2", quote_id=quote_id, amount=36_500)
    s.when(command)
    s.refused(Code.CURRENCY_MISMATCH, Code.QUOTE_CHANGED)


def test_a_quote_for_another_reservation_or_an_exchange_does_not_do() -> None:
    s = holding(bought(), bought(36_500, "r-2"))
    quote_id = quoted(s.when(quote("r-2"))).quote_id
    s.when(act("r-1", quote_id=quote_id, amount=36_500))
    assert changed(s) == {"reservation_quoted": "r-2", "reservation_now": "r-1"}
    s.when(exchange((back(),), (new(40_000),), quote_id=quote_id, payable=3_500))
    assert changed(s)["exchange_quoted"] == "RESERVATION_REFUND"
    quote_id = exchange_quoted(s.when(quote_exchange((back(),), (new(40_000),)))).quote_id
    s.when(act(quote_id=quote_id, amount=36_500))
    assert changed(s)["reservation_quoted"] == "RESERVATION_EXCHANGE"


def test_an_exchange_is_done_as_quoted_with_the_quantity_spelled_out_or_not() -> None:
    s = holding(bought(30_000, quantity=3))
    legs, purchases = (back("r-1"),), (new(40_000),)
    found = exchange_quoted(s.when(quote_exchange(legs, purchases)))
    assert found.returns == (back("r-1", 3),)
    s.when(exchange((back("r-1", 3),), purchases, quote_id=found.quote_id, payable=10_000))
    assert names(s) == ["ReservationExchanged"]
    again = exchange((back("r-9"),), (new(90_000, "r-10"),), quote_id=found.quote_id, payable=1)
    s.when(again).refused(Code.QUOTE_USED, Code.QUOTE_CHANGED)


def test_an_exchange_of_something_else_is_not_what_was_quoted() -> None:
    s = holding(bought(30_000, quantity=3))
    legs = (back("r-1", 1),)
    quote_id = exchange_quoted(s.when(quote_exchange(legs, (new(40_000),)))).quote_id
    s.when(exchange(legs, (new(40_000, months=36),), quote_id=quote_id, payable=30_000))
    assert set(changed(s)) == {"purchases_quoted", "purchases_now"}
    s.when(exchange((back("r-1", 2),), (new(40_000),), quote_id=quote_id, payable=20_000))
    names_changed = {name.removesuffix("_now") for name in changed(s) if name.endswith("_now")}
    assert names_changed == {"returns", "values", "amount"}
    s.later(DAY).when(exchange(legs, (new(40_000),), quote_id=quote_id, payable=30_000))
    s.refused(Code.QUOTE_EXPIRED, Code.QUOTE_CHANGED)


def test_an_exchange_paid_on_another_invoice_is_not_what_was_quoted() -> None:
    s = holding()
    quote = exchange_quoted(s.when(quote_exchange((back(),), (new(40_000),))))
    other = Payment(method=PaymentMethod.INVOICE, invoice_id="inv-2")
    act_on_it = exchange(
        (back(),), (new(40_000, payment=other),), quote_id=quote.quote_id, payable=quote.payable
    )
    (violation,) = s.when(act_on_it).refused(Code.QUOTE_CHANGED).violations
    assert violation.figures["purchases_quoted"].endswith("by INVOICE, invoice inv-1")
    assert violation.figures["purchases_now"].endswith("by INVOICE, invoice inv-2")


def test_an_unknown_quote_is_not_found() -> None:
    refusal = holding().when(act(quote_id="q-9", amount=1)).refused(Code.NOT_FOUND)
    assert refusal.violations[0].figures == {"quote": "q-9"}


def test_a_redelivery_stays_quiet() -> None:
    s, quote_id = with_quote()
    command = act(quantity=1, quote_id=quote_id, amount=10_000)
    s.give(command, id="c-1")
    s.when(command, id="c-1").then()


def test_a_quote_of_an_exchange_holds_to_its_last_instant_and_is_used_once() -> None:
    s, legs, purchases = holding(), (back(),), (new(40_000),)
    found = exchange_quoted(s.when(quote_exchange(legs, purchases)))
    command = exchange(legs, purchases, quote_id=found.quote_id, payable=3_500)
    s.at(found.expires_at + 1).when(command).refused(Code.QUOTE_EXPIRED)
    s.at(found.expires_at).when(command, id="c-1")
    assert names(s) == ["ReservationExchanged"]
    s.when(command, id="c-1").then()
    used = s.state.find(Quote, s.account, found.quote_id)
    assert used is not None
    assert used.status is QuoteStatus.USED


@pytest.mark.parametrize("payable", [3_499, 3_501, None])
def test_an_exchange_is_confirmed_to_the_cent(payable: int | None) -> None:
    s, legs, purchases = holding(), (back(),), (new(40_000),)
    quote_id = exchange_quoted(s.when(quote_exchange(legs, purchases))).quote_id
    s.when(exchange(legs, purchases, quote_id=quote_id, payable=payable))
    assert set(changed(s)) == {"confirmed_amount_quoted", "confirmed_amount_now"}


def test_a_used_quote_is_refused_for_that_alone_where_nothing_else_changed() -> None:
    s = holding(bought(20_000, quantity=2))
    quote_id = quoted(s.when(quote(quantity=1))).quote_id
    command = act(quantity=1, quote_id=quote_id, amount=10_000)
    s.give(command)
    violation = s.when(command).refused(Code.QUOTE_USED).violations[0]
    assert (violation.rule, violation.figures) == ("act_on_a_quote", {"quote_id": quote_id})

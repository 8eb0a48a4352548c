"""Reservations: refunded, exchanged, swapped or handed over, as far as it can be judged."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.values.instants import DAY
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ExchangeReservations,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
    SwapReservation,
    TransferReservation,
)
from ledger.vocabulary.events import ReservationExchangeQuoted, ReservationRefundQuoted
from ledger.vocabulary.shapes import AccountType, Parts, Payment, PaymentMethod, Role
from tests.ledger.eligibility.asked import asking, codes, open_acts, things, verdict
from tests.ledger.rules.reservations.stories import (
    back,
    bought,
    by_support,
    exchange_quoted,
    holding,
    new,
    quote,
    quote_exchange,
    quoted,
)


def test_a_refund_brings_what_a_quote_would_say_with_its_use_of_the_cap() -> None:
    s = holding().later(100 * DAY)
    found = verdict(s, RefundReservation)
    assert found.may
    assert isinstance(found.brings, ReservationRefundQuoted)
    assert (found.brings.amount, found.brings.parts) == (26_500, Parts(original=26_500))
    s.give(quote())
    assert replace(found.brings, quote_id="") == replace(quoted(s), quote_id="")


def test_the_dollars_of_another_currency_are_those_of_the_rate() -> None:
    s = holding(bought(currency="EUR"), currency="EUR")
    found = verdict(s, RefundReservation, asking(s, rate="2"))
    assert found.asked.body == QuoteReservationRefund(reservation_id="r-1", usd_rate="2")
    assert isinstance(found.brings, ReservationRefundQuoted)
    assert found.brings.cap is not None
    assert found.brings.cap.refund_usd == 73_000


def test_above_the_cap_the_rule_says_what_is_left() -> None:
    s = holding(bought(5_000_000), bought(36_500, "r-2"))
    by_support(s)
    found = things(s)["r-2"].acts[0]
    assert codes(found) == [Code.REFUND_CAP_EXCEEDED]
    assert found.violations[0].figures["left_usd"] == "0.00"
    assert found.brings is not None


def test_an_exchange_says_what_it_returns_and_what_the_purchases_must_come_to() -> None:
    s = holding().later(100 * DAY)
    found = verdict(s, ExchangeReservations)
    assert (found.may, found.to_give) == (True, ("purchases",))
    assert isinstance(found.brings, ReservationExchangeQuoted)
    assert (found.brings.returned_total, found.brings.remaining_commitment) == (26_500, 26_500)
    (must,) = found.must
    assert (must.code, must.figures["remaining_commitment"]) == (Code.NEW_TOTAL_TOO_LOW, "265.00")


def test_purchases_that_meet_it_are_quoted_without_a_violation() -> None:
    s = holding().later(100 * DAY)
    found = verdict(s, ExchangeReservations)
    s.give(quote_exchange((back(),), (new(26_500),)))
    real = exchange_quoted(s)
    assert real.violations == ()
    assert isinstance(found.asked.body, QuoteReservationExchange)
    assert isinstance(found.brings, ReservationExchangeQuoted)
    assert found.brings.returned_values == real.returned_values
    assert found.brings.remaining_commitment == real.remaining_commitment


def test_what_cannot_be_exchanged_is_told_whatever_is_bought() -> None:
    s = holding(bought(product_type="SuseLinux"))
    assert codes(verdict(s, ExchangeReservations)) == [Code.NOT_EXCHANGEABLE]


def test_a_size_is_swapped_for_its_twin_and_no_other() -> None:
    s = holding(bought(sku="Standard_F1"))
    found = verdict(s, SwapReservation)
    assert found.may
    assert found.asked.body == SwapReservation(reservation_id="r-1", sku="Standard_F1s")
    s = holding(bought(sku="Standard_F1s"))
    (violation,) = verdict(s, SwapReservation).violations
    assert violation.code is Code.SWAP_NOT_SUPPORTED
    assert violation.message == (
        "Standard_F1s cannot be swapped for another size; exchange it instead"
    )


def test_it_may_be_handed_over_to_owners_still_to_be_named() -> None:
    s = holding()
    found = verdict(s, TransferReservation)
    assert (found.may, found.to_give) == (True, ("owners",))


def test_each_is_asked_for_by_an_owner_of_its_own() -> None:
    s = holding(bought(), bought(36_500, "r-2", owners=("u-7", "u-8")))
    actors = [thing.acts[0].asked.meta.actor for thing in things(s).values()]
    assert [(actor.id, actor.role) for actor in actors] == [
        ("u-1", Role.OWNER),
        ("u-7", Role.OWNER),
    ]
    how = asking(s, actor_id="u-1")
    assert open_acts(s, "r-2", how) == []
    assert codes(things(s, how)["r-2"].acts[0]) == [Code.NOT_OWNER]


def test_a_government_agreement_lists_the_rule_and_support_may() -> None:
    overage = Payment(method=PaymentMethod.OVERAGE)
    s = holding(bought(payment=overage), account_type=AccountType.EA, us_government=True)
    assert open_acts(s, "r-1") == ["TransferReservation"]
    assert codes(verdict(s, RefundReservation)) == [Code.ACCOUNT_TYPE_NOT_ELIGIBLE]
    assert verdict(s, RefundReservation, asking(s, support=True)).may


def test_of_one_given_back_wholly_nothing_is_left_to_do() -> None:
    s = by_support(holding())
    assert open_acts(s, "r-1") == []
    assert {code for each in things(s)["r-1"].acts for code in codes(each)} == {Code.WRONG_STATE}

"""One account, one writer: one currency, and where it is the dollar a rate of exactly 1."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import Command
from ledger.vocabulary.shapes import Role
from tests.ledger.rules.marketplace import stories as market
from tests.ledger.rules.reservations import stories as held
from tests.scenario import Scenario


@pytest.mark.parametrize("rate", ["1", "1.0", "1.000000000000"])
def test_a_dollar_is_worth_a_dollar_however_it_is_written(rate: str) -> None:
    assert held.quoted(held.holding().when(held.quote(rate=rate))).violations == ()
    s = held.holding().when(held.act(rate=rate), role=Role.SUPPORT)
    assert held.names(s) == ["ReservationCancelled", "RefundIssued"]


@pytest.mark.parametrize("rate", ["1.000000000001", "0.999999999999", "0"])
def test_the_smallest_step_from_1_is_another_rate(rate: str) -> None:
    (listed,) = held.quoted(held.holding().when(held.quote(rate=rate))).violations
    s = held.holding().when(held.act(rate=rate), role=Role.SUPPORT)
    assert s.refused(Code.CURRENCY_MISMATCH).violations == (listed,)
    assert (listed.rule, listed.code) == ("one_account_one_writer", Code.CURRENCY_MISMATCH)
    assert listed.figures == {"account_currency": "USD", "usd_rate": rate}


def test_another_currency_has_any_rate() -> None:
    s = held.holding(held.bought(currency="EUR"), currency="EUR")
    assert held.quoted(s.when(held.quote(rate="0.999999999999"))).violations == ()


def test_money_of_a_reservation_is_in_the_accounts_currency() -> None:
    s = held.holding()
    dearer = held.exchange((held.back(),), (held.new(40_000),), currency="EUR")
    s.when(dearer, role=Role.SUPPORT).refused(Code.CURRENCY_MISMATCH)
    (violation,) = (
        s.when(held.bought(1, "r-2", currency="EUR")).refused(Code.CURRENCY_MISMATCH).violations
    )
    assert violation.figures == {"account_currency": "USD", "currency": "EUR"}


@pytest.mark.parametrize("command", [market.purchase("p-2", currency="EUR"), market.ticket(1)])
def test_money_of_a_marketplace_is_in_the_accounts_currency(command: Command) -> None:
    s = Scenario().opened(currency="USD")
    s.give(market.purchase(currency="USD"))
    s.when(command).refused(Code.CURRENCY_MISMATCH)


def test_a_confirmation_names_the_accounts_currency() -> None:
    s = held.holding(held.bought(currency="EUR"), currency="EUR")
    quote_id = held.quoted(s.when(held.quote())).quote_id
    s.when(held.act(quote_id=quote_id, amount=36_500)).refused(Code.CURRENCY_MISMATCH)

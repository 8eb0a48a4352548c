"""Which commands wait for a second person, and why.

Decided for this console (docs/decisions/0025). By hand: the limit is 1000.00 CNY. A manual refund
of 1000.00 CNY is published at once, one of 1000.01 CNY waits. So does the correction of a refund of
1000.01 CNY. SUPPORT returns an instance without a quote: with a confirmed amount of 1000.00 it is
published, with more, or with none, it waits; with a quote it is published, whatever it brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from psycopg import Connection

from console.running.settings import Settings
from console.terminal.errors import BadInput
from ledger.values.money import CURRENCY_DIGITS, Currency, Minor, format_minor, parse_minor
from ledger.vocabulary.commands import (
    CorrectRefund,
    DowngradeInstance,
    ExchangeReservations,
    RefundMarketplaceManually,
    RefundReservation,
    ReturnInstance,
)
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.shapes import Role

SETTING = "REFUNDS_APPROVAL_ABOVE"
Limits = Mapping[Currency, Minor]
"""The amounts above which an act waits. A currency that is not there: every act waits."""
MAY_WAIT = (
    RefundMarketplaceManually,
    CorrectRefund,
    ReturnInstance,
    DowngradeInstance,
    RefundReservation,
    ExchangeReservations,
)
_AMOUNT = """
SELECT amount, currency FROM read_models.refunds WHERE account_id = %s AND refund_id = %s
"""


class Giver(Struct, frozen=True, kw_only=True):
    """Who gives a command to the console. `for_owners`: a program that speaks for owners."""

    name: str
    for_owners: bool = False


def limits_of(settings: Settings) -> Limits | None:
    """The limits of the settings; None: nothing waits. BadInput for one that is no amount."""
    if settings.approval_above is None:
        return None
    found = {}
    for currency, text in settings.approval_above.items():
        try:
            if currency not in CURRENCY_DIGITS:
                raise ValueError("there is no such currency")
            found[currency] = parse_minor(text, currency)
        except ValueError as error:
            raise BadInput(f"{SETTING} {currency} {text!r}: {error}") from error
    return found


def why_it_waits(
    connection: Connection[Any], limits: Limits, given: GivenCommand, giver: Giver
) -> str | None:
    """The reason in words; None for a command that is published at once."""
    match given.body:
        case RefundMarketplaceManually(amount=amount, currency=currency):
            return _above(limits, amount, currency)
        case CorrectRefund(refund_id=refund_id):
            wanted = (given.meta.account_id, refund_id)
            row = connection.execute(_AMOUNT, wanted).fetchone()
            return _above(limits, *row) if row else f"the amount of refund {refund_id} is unknown"
        case (
            ReturnInstance(quote_id=None, confirmed_amount=amount, currency=currency)
            | DowngradeInstance(quote_id=None, confirmed_amount=amount, currency=currency)
            | RefundReservation(quote_id=None, confirmed_amount=amount, currency=currency)
        ):
            if _for_the_owner(given, giver):
                return None
            if amount is None or currency is None:
                return "without a quote and a confirmed amount, nobody knows what it brings"
            return _above(limits, amount, currency)
        case ExchangeReservations(quote_id=None):
            if _for_the_owner(given, giver):
                return None
            return "without a quote, nobody knows what is given back"
        case _:
            return None


def _for_the_owner(given: GivenCommand, giver: Giver) -> bool:
    """Whether a program says that the owner acts; a person who claims it is SUPPORT."""
    return giver.for_owners and given.meta.actor.role is not Role.SUPPORT


def _above(limits: Limits, amount: Minor, currency: Currency) -> str | None:
    limit = limits.get(currency)
    told = f"{format_minor(amount, currency)} {currency}"
    if limit is None:
        return f"{told}: no limit is set for this currency"
    if amount <= limit:
        return None
    return f"{told} is above {format_minor(limit, currency)} {currency}"

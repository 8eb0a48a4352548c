"""One account, one writer: an account has one currency, and all its amounts are in it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.money import parse_decimal12
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import OpenAccount, QuoteReservationRefund, RefundReservation

RULE = "one_account_one_writer"
_AtARate = QuoteReservationRefund | RefundReservation


def currency_mismatch(case: Case) -> Iterator[Violation]:
    """Refuses money in another currency than the account's, and a dollar rate other than 1 in USD.

    Source: decided for this ledger. By hand: acct-1 is in CNY; an order in USD:
    `CURRENCY_MISMATCH`. acct-2 is in USD; a refund with `usd_rate` 1.1: `CURRENCY_MISMATCH`.
    """
    if isinstance(case.command, OpenAccount):
        return
    own = case.account.currency
    currency: str | None = getattr(case.command, "currency", None)
    if currency not in (None, own):
        yield violation(
            RULE,
            Code.CURRENCY_MISMATCH,
            Said("the account is in {account_currency}; give the amounts in it, not in {currency}"),
            account_currency=own,
            currency=str(currency),
        )
    if isinstance(case.command, _AtARate):
        rate = case.command.usd_rate
        if own == "USD" and parse_decimal12(rate) != 1:
            said = Said("the account is in USD; its usd_rate is 1, not {usd_rate}")
            yield violation(RULE, Code.CURRENCY_MISMATCH, said, account_currency=own, usd_rate=rate)

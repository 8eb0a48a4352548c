"""One account, one writer: an account has one currency, and everything in it is in that one."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import OpenAccount
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation


def currency_mismatch(case: Case) -> Iterator[Violation]:
    """Money in another currency than the account's. Source: decided for this ledger.

    By hand: acct-1 is in CNY; an order in USD: `CURRENCY_MISMATCH`.
    """
    currency: str | None = getattr(case.command, "currency", None)
    if isinstance(case.command, OpenAccount) or currency in (None, case.account.currency):
        return
    yield violation(
        "one_account_one_writer",
        Code.CURRENCY_MISMATCH,
        f"the account is in {case.account.currency}; give the amounts in it, not in {currency}",
        account_currency=case.account.currency,
        currency=str(currency),
    )

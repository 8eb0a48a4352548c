"""Postpaid destroy: a postpaid instance can be destroyed unless the account is in arrears."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import DestroyPostpaidInstance


def account_in_arrears(case: Case) -> Iterator[Violation]:
    """No destruction while the account is in arrears. Source: seed 000 (腾讯云账户未欠费时).

    By hand: the account's standing is in_arrears; DestroyPostpaidInstance: `ACCOUNT_IN_ARREARS`.
    """
    if isinstance(case.command, DestroyPostpaidInstance) and case.account.in_arrears:
        yield violation(
            "postpaid_destroy",
            Code.ACCOUNT_IN_ARREARS,
            Said("the account is in arrears; settle what is owed, then destroy the instance"),
            account=case.given.meta.account_id,
        )

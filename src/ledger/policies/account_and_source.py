"""Account and source: which type of account holds what, and how it pays for reservations."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    Command,
    ExchangeReservations,
    QuoteReservationExchange,
    RecordInstanceOrder,
    RecordMarketplacePurchase,
    RecordReservationPurchase,
    StartPostpaidInstance,
)
from ledger.vocabulary.shapes import AccountType, PaymentMethod

RULE = "account_and_source"
_PAYS_BY: dict[AccountType, tuple[PaymentMethod, ...]] = {
    AccountType.ONLINE: (),
    AccountType.EA: (PaymentMethod.COMMITMENT, PaymentMethod.OVERAGE),
    AccountType.PAYG_INVOICE: (PaymentMethod.INVOICE,),
    AccountType.CSP: (PaymentMethod.INVOICE,),
    AccountType.PAYG_CARD: (PaymentMethod.CARD,),
}


def account_type_not_eligible(case: Case) -> Iterator[Violation]:
    """ONLINE accounts hold instances and marketplace purchases, the others reservations.

    Source: seeds 000, 001 and 003. By hand: an instance order or a marketplace purchase for an EA
    account: `ACCOUNT_TYPE_NOT_ELIGIBLE`. EA pays reservations by COMMITMENT or OVERAGE,
    PAYG_INVOICE and CSP by INVOICE, PAYG_CARD by CARD: a CSP reservation paid by CARD likewise.
    """
    yield from _not_held(case)
    yield from _not_paid_like_that(case)


def _not_held(case: Case) -> Iterator[Violation]:
    match case.command:
        case RecordInstanceOrder() | StartPostpaidInstance():
            said = Said("a {account_type} account holds no instances; use an ONLINE account")
        case RecordMarketplacePurchase():
            said = Said(
                "a {account_type} account holds no marketplace purchases; use an ONLINE account"
            )
        case _:
            return
    if case.account.account_type is AccountType.ONLINE:
        return
    yield violation(
        RULE,
        Code.ACCOUNT_TYPE_NOT_ELIGIBLE,
        said,
        account_type=case.account.account_type,
    )


def _not_paid_like_that(case: Case) -> Iterator[Violation]:
    methods = _methods(case.command)
    if not methods:
        return
    account_type = case.account.account_type
    allowed = _PAYS_BY[account_type]
    for method in methods:
        if method not in allowed:
            said = Said("a {account_type} account pays reservations by {pays_by}, not by {method}")
            if not allowed:
                said = Said(
                    "a {account_type} account pays reservations by nothing: it holds no "
                    "reservations, not by {method}"
                )
            yield violation(
                RULE,
                Code.ACCOUNT_TYPE_NOT_ELIGIBLE,
                said,
                {"pays_by": " or ".join(allowed)},
                account_type=account_type,
                method=method,
                allowed=", ".join(allowed),
            )


def _methods(command: Command) -> tuple[PaymentMethod, ...]:
    match command:
        case RecordReservationPurchase(payment=payment):
            return (payment.method,)
        case (
            QuoteReservationExchange(purchases=purchases)
            | ExchangeReservations(purchases=purchases)
        ):
            return tuple(dict.fromkeys(one.payment.method for one in purchases))
        case _:
            return ()

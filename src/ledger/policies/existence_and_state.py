"""Existence and state: what a command names must be there, and in a state that allows it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import (
    ApproveMarketplaceRefund,
    Command,
    CompleteOverdueMarketplaceRefund,
    ConfirmService,
    DeclineMarketplaceRefund,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    RecordInstanceOrder,
    RecordInvoiceState,
    RecordMarketplacePurchase,
    RefundMarketplaceManually,
    RequestMarketplaceRefund,
    RestoreInstance,
    ReturnInstance,
    SettleRefund,
    StartPostpaidInstance,
    TakeInstanceOffline,
    WithdrawMarketplaceRefund,
)
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.shapes import OrderKind
from ledger.state.entities import Account, Entity, Instance, Order, Purchase, Quote, Refund

_Named = tuple[str, type[Entity], str]
_OnInstance = (
    QuoteInstanceReturn
    | ReturnInstance
    | DestroyPostpaidInstance
    | RestoreInstance
    | TakeInstanceOffline
    | ExpireInstance
    | DestroyIsolatedInstance
)
_OnPurchase = (
    ConfirmService
    | RecordInvoiceState
    | RequestMarketplaceRefund
    | WithdrawMarketplaceRefund
    | ApproveMarketplaceRefund
    | DeclineMarketplaceRefund
    | CompleteOverdueMarketplaceRefund
    | RefundMarketplaceManually
)


def not_found(case: Case) -> Iterator[Violation]:
    """Everything a command names must exist. Source: decided for this ledger.

    By hand: ReturnInstance of i-9, which was never ordered: `NOT_FOUND`, figures instance = i-9.
    """
    if not isinstance(case.command, OpenAccount) and case.find(Account, "") is None:
        yield _missing("account", case.given.meta.account_id)
        return
    for noun, kind, entity_id in _must_exist(case.command):
        if case.find(kind, entity_id) is None:
            yield _missing(noun, entity_id)


def already_exists(case: Case) -> Iterator[Violation]:
    """What a command brings into being must not exist yet. Source: decided for this ledger.

    By hand: a second RecordInstanceOrder of order o-1: `ALREADY_EXISTS`, figures order = o-1.
    """
    for noun, kind, entity_id in _must_be_new(case.command):
        if case.find(kind, entity_id) is not None:
            yield _existing(noun, entity_id or case.given.meta.account_id)
    if isinstance(case.command, OpenCommitmentTerm):
        known = {term.term_id for term in case.account.commitment_terms}
        if case.command.term_id in known:
            yield _existing("commitment_term", case.command.term_id)


def _existing(noun: str, named: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.ALREADY_EXISTS,
        f"{noun} {named} exists already; give the new one an id of its own",
        **{noun: named},
    )


def _missing(noun: str, entity_id: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.NOT_FOUND,
        f"no {noun} {entity_id} in this account; check the id, or record it first",
        **{noun: entity_id},
    )


def _must_exist(command: Command) -> list[_Named]:
    match command:
        case RecordInstanceOrder(kind=OrderKind.RENEWAL):
            return [("instance", Instance, line.instance_id) for line in command.lines]
        case RestoreInstance() if command.renewal_order_id is not None:
            order = ("order", Order, command.renewal_order_id)
            return [("instance", Instance, command.instance_id), order]
        case ReturnInstance() if command.quote_id is not None:
            quote = ("quote", Quote, command.quote_id)
            return [("instance", Instance, command.instance_id), quote]
        case ExpireInstance():
            order = ("order", Order, command.order_id)
            return [("instance", Instance, command.instance_id), order]
        case SettleRefund():
            return [("refund", Refund, command.refund_id)]
        case _ if isinstance(command, _OnInstance):
            return [("instance", Instance, command.instance_id)]
        case _ if isinstance(command, _OnPurchase):
            return [("purchase", Purchase, command.purchase_id)]
        case _:
            return []


def _must_be_new(command: Command) -> list[_Named]:
    match command:
        case OpenAccount():
            return [("account", Account, "")]
        case RecordInstanceOrder():
            order = ("order", Order, command.order_id)
            if command.kind is OrderKind.RENEWAL:
                return [order]
            return [order, *(("instance", Instance, line.instance_id) for line in command.lines)]
        case StartPostpaidInstance():
            return [("instance", Instance, command.instance_id)]
        case RecordMarketplacePurchase():
            return [("purchase", Purchase, command.purchase_id)]
        case _:
            return []

"""Existence and state: the entities of a command must exist, and their state must allow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ledger.policies.case import Case, Said, violation
from ledger.state.account_entities import CommitmentTerm
from ledger.state.entities import (
    Account,
    Entity,
    Instance,
    OpeningPosition,
    Order,
    Purchase,
    Quote,
    Refund,
    Reservation,
    Upgrade,
)
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    CompleteOverdueMarketplaceRefund,
    ConfirmService,
    DeclineMarketplaceRefund,
    ExchangeReservations,
    ExpireInstance,
    ExpireReservation,
    InstanceCommand,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    RecordInvoiceState,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
    RefundMarketplaceManually,
    RefundReservation,
    RequestMarketplaceRefund,
    RestoreInstance,
    SettlementCommand,
    StartPostpaidInstance,
    SwapReservation,
    TransferReservation,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.shapes import OrderKind

Noun = Literal[
    "account", "commitment_term", "instance", "opening_position", "order", "purchase", "quote",
    "refund", "reservation", "upgrade",
]  # fmt: skip
"""What may be missing or exist already; it is the figure that has the id."""
_Named = tuple[Noun, type[Entity], str]
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
_OnReservation = (
    QuoteReservationRefund
    | RefundReservation
    | SwapReservation
    | TransferReservation
    | ExpireReservation
)
_OnExchange = QuoteReservationExchange | ExchangeReservations


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
    """What a command creates must not exist yet. Source: decided for this ledger.

    By hand: a second RecordInstanceOrder of order o-1: `ALREADY_EXISTS`, figures order = o-1.
    """
    for noun, kind, entity_id in _must_be_new(case.command):
        if case.find(kind, entity_id) is not None:
            yield _existing(noun, entity_id or case.given.meta.account_id)


def _existing(noun: Noun, named: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.ALREADY_EXISTS,
        Said("{noun} {id} exists already; give the new one an id of its own"),
        {"noun": noun, "id": named},
        **{noun: named},
    )


def _missing(noun: Noun, entity_id: str) -> Violation:
    return violation(
        "existence_and_state",
        Code.NOT_FOUND,
        Said("no {noun} {id} in this account; check the id, or record it first"),
        {"noun": noun, "id": entity_id},
        **{noun: entity_id},
    )


def _must_exist(command: Command) -> list[_Named]:
    quote_id: str | None = getattr(command, "quote_id", None)
    quoted: list[_Named] = [] if quote_id is None else [("quote", Quote, quote_id)]
    terms = _terms_named(command)
    held: list[_Named] = [("commitment_term", CommitmentTerm, one) for one in terms]
    return [*_acted_on(command), *quoted, *held]


def _acted_on(command: Command) -> list[_Named]:
    match command:
        case RecordInstanceOrder(kind=OrderKind.NEW) | StartPostpaidInstance():
            return []
        case RecordInstanceOrder():
            return [("instance", Instance, line.instance_id) for line in command.lines]
        case RestoreInstance() if command.renewal_order_id is not None:
            renewal: _Named = ("order", Order, command.renewal_order_id)
            return [("instance", Instance, command.instance_id), renewal]
        case ExpireInstance():
            ending: _Named = ("order", Order, command.order_id)
            return [("instance", Instance, command.instance_id), ending]
        case _ if isinstance(command, SettlementCommand):
            return [("refund", Refund, command.refund_id)]
        case _ if isinstance(command, InstanceCommand):
            return [("instance", Instance, command.instance_id)]
        case _ if isinstance(command, _OnPurchase):
            return [("purchase", Purchase, command.purchase_id)]
        case _ if isinstance(command, _OnReservation):
            return [("reservation", Reservation, command.reservation_id)]
        case _ if isinstance(command, _OnExchange):
            ids = dict.fromkeys(one.reservation_id for one in command.returns)
            return [("reservation", Reservation, one) for one in ids]
        case _:
            return []


def _terms_named(command: Command) -> list[str]:
    """The commitment terms that pay for something."""
    match command:
        case RecordReservationPurchase(payment=payment):
            payments = [payment]
        case _ if isinstance(command, _OnExchange):
            payments = [one.payment for one in command.purchases]
        case _:
            return []
    return list(dict.fromkeys(one.term_id for one in payments if one.term_id is not None))


def _must_be_new(command: Command) -> list[_Named]:
    match command:
        case RecordInstanceOrder():
            order: _Named = ("order", Order, command.order_id)
            if command.kind is not OrderKind.NEW:
                return [order]
            return [order, *(("instance", Instance, line.instance_id) for line in command.lines)]
        case OpenAccount():
            return [("account", Account, "")]
        case RecordOpeningPosition():
            return [("opening_position", OpeningPosition, "")]
        case OpenCommitmentTerm():
            return [("commitment_term", CommitmentTerm, command.term_id)]
        case StartPostpaidInstance():
            return [("instance", Instance, command.instance_id)]
        case RecordInstanceUpgrade():
            return [("upgrade", Upgrade, command.upgrade_id)]
        case RecordMarketplacePurchase():
            return [("purchase", Purchase, command.purchase_id)]
        case RecordReservationPurchase():
            return [("reservation", Reservation, command.reservation_id)]
        case _ if isinstance(command, _OnExchange):
            return [("reservation", Reservation, one.reservation_id) for one in command.purchases]
        case _:
            return []

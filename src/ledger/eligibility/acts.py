"""Acts: what an owner or a buyer may do with each kind of thing, one act a line.

A new command of an owner is a line here: the act, and the command whose verdict tells of it; where
an act is quoted first, that is the quote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from ledger.state.entities import Instance, Purchase, Reservation
from ledger.terms.table import Terms
from ledger.values.money import Currency, Decimal12
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    ConfirmService,
    DestroyPostpaidInstance,
    ExchangeReservations,
    QuoteInstanceReturn,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
    RequestMarketplaceRefund,
    RestoreInstance,
    ReturnInstance,
    SwapReservation,
    TakeInstanceOffline,
    TransferReservation,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.shapes import Actor, RefundReason, ReservationReturn, Role

T = TypeVar("T", Instance, Purchase, Reservation)

_ANOTHER_SIZE = "another size"


class Subject(Struct, Generic[T], frozen=True, kw_only=True):
    """A thing of an account, and what a command about it may need: the account's currency, US
    dollars for one unit of it, the terms in force.
    """

    account_id: str
    id: str
    it: T
    currency: Currency
    usd_rate: Decimal12
    terms: Terms

    @property
    def own_id(self) -> str:
        """Its buyer, or the first of its owners. An instance names none: the account speaks."""
        match self.it:
            case Purchase(buyer_id=buyer_id):
                return buyer_id
            case Reservation(owners=owners):
                return owners[0]
            case _:
                return self.account_id


class Act(Struct, Generic[T], frozen=True, kw_only=True):
    """An act and the command that is asked in its stead, or the act itself.

    `to_give` are the fields a person must still fill in; what stands in for them is as good as
    anything, but for the codes in `answered_by_it`. `then` is the command by which another party
    completes the act, if that is what moves the money.
    """

    act: type[Command]
    asks: Callable[[Subject[T]], Command]
    to_give: tuple[str, ...] = ()
    answered_by_it: frozenset[Code] = frozenset()
    then: Callable[[Subject[T]], tuple[Actor, Command]] | None = None


def _restore(one: Subject[Instance]) -> RestoreInstance:
    """With the renewal recorded since it went into the bin, if there is one."""
    renewal = one.it.orders[-1].order_id if one.it.orders else None
    return RestoreInstance(instance_id=one.id, renewal_order_id=renewal)


def _request(one: Subject[Purchase]) -> RequestMarketplaceRefund:
    return RequestMarketplaceRefund(
        purchase_id=one.id, reason=RefundReason.OTHER, acknowledged=True
    )


def _vendor_agrees(one: Subject[Purchase]) -> tuple[Actor, Command]:
    vendor = Actor(id=one.it.vendor_id, role=Role.VENDOR)
    return vendor, ApproveMarketplaceRefund(purchase_id=one.id)


def _refund(one: Subject[Reservation]) -> QuoteReservationRefund:
    return QuoteReservationRefund(reservation_id=one.id, usd_rate=one.usd_rate)


def _exchange(one: Subject[Reservation]) -> QuoteReservationExchange:
    """For nothing yet: what it returns, and what the new ones must come to."""
    back = ReservationReturn(reservation_id=one.id)
    return QuoteReservationExchange(returns=(back,), purchases=(), currency=one.currency)


def _swap(one: Subject[Reservation]) -> SwapReservation:
    """For its twin by the terms; where there is none, the rule says so."""
    twin = one.terms.swaps.get(one.it.sku, _ANOTHER_SIZE)
    return SwapReservation(reservation_id=one.id, sku=twin)


OF_INSTANCES: tuple[Act[Instance], ...] = (
    Act(act=ReturnInstance, asks=lambda one: QuoteInstanceReturn(instance_id=one.id)),
    Act(
        act=DestroyPostpaidInstance,
        asks=lambda one: DestroyPostpaidInstance(instance_id=one.id, acknowledged=True),
    ),
    Act(act=RestoreInstance, asks=_restore),
    Act(act=TakeInstanceOffline, asks=lambda one: TakeInstanceOffline(instance_id=one.id)),
)
OF_PURCHASES: tuple[Act[Purchase], ...] = (
    Act(act=RequestMarketplaceRefund, asks=_request, to_give=("reason",), then=_vendor_agrees),
    Act(
        act=WithdrawMarketplaceRefund,
        asks=lambda one: WithdrawMarketplaceRefund(purchase_id=one.id),
    ),
    Act(act=ConfirmService, asks=lambda one: ConfirmService(purchase_id=one.id)),
)
OF_RESERVATIONS: tuple[Act[Reservation], ...] = (
    Act(act=RefundReservation, asks=_refund),
    Act(
        act=ExchangeReservations,
        asks=_exchange,
        to_give=("purchases",),
        answered_by_it=frozenset({Code.NEW_TOTAL_TOO_LOW}),
    ),
    Act(act=SwapReservation, asks=_swap),
    Act(
        act=TransferReservation,
        asks=lambda one: TransferReservation(reservation_id=one.id, owners=one.it.owners),
        to_give=("owners",),
    ),
)

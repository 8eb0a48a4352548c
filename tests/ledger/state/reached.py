"""The states, each brought about by the shortest story that leads there."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ledger.values.instants import DAY, HOUR
from ledger.vocabulary.commands import (
    AccountCommand,
    ChangeCard,
    Command,
    ConfirmCardRefund,
    ConfirmService,
    CorrectRefund,
    DestroyPostpaidInstance,
    ExchangeReservations,
    ExpireInstance,
    ExpireReservation,
    FailCardRefund,
    InstanceCommand,
    MarketplaceCommand,
    RecordInstanceOrder,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
    RefundMarketplaceManually,
    ReservationCommand,
    SetAccountStanding,
    SettlementCommand,
    SettleRefund,
    StartPostpaidInstance,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import CommandRefused
from ledger.vocabulary.shapes import (
    AccountType,
    InvoiceState,
    Payment,
    PaymentMethod,
    ProductKind,
    Role,
)
from tests.bodies import returning
from tests.ledger.rules.instances.acts import bought, started
from tests.ledger.rules.marketplace import stories as market
from tests.ledger.rules.reservations import stories as held
from tests.ledger.state.asked import ASKS
from tests.scenario import Scenario

BY_CARD = Payment(method=PaymentMethod.CARD, card_id="card-1")


class Family(Struct, frozen=True, kw_only=True):
    """A kind of thing: its states by name, and the commands that look at them."""

    name: str
    commands: tuple[type[Command], ...]
    states: dict[str, Callable[[], Scenario]]


def _gave(s: Scenario, *kinds: type[Command], role: Role | None = None) -> Scenario:
    """The story with these commands given, each of them accepted."""
    for kind in kinds:
        s.give(ASKS[kind](s), role=role)
        assert not isinstance(s.outcome[0], CommandRefused), s.outcome
    return s


def _returned() -> Scenario:
    """i-1 was returned by support."""
    return bought().when(returning("i-1"), role=Role.SUPPORT)


def _held() -> Scenario:
    """The vendor agreed, but an invoice was asked for meanwhile."""
    return market.approve(market.invoice(market.applied(), InvoiceState.APPLIED))


def _to_a_card() -> Scenario:
    """A reservation bought by card was given back."""
    s = held.holding(held.bought(payment=BY_CARD), account_type=AccountType.PAYG_CARD)
    return held.by_support(s)


def _asked_again() -> Scenario:
    """Attempt 1 was called failed, and support has asked again."""
    s = _gave(_to_a_card(), SettleRefund, FailCardRefund)
    return _gave(s, SettleRefund, role=Role.SUPPORT)


ACCOUNT = Family(
    name="account",
    commands=(
        *AccountCommand.__args__,
        RecordInstanceOrder,
        StartPostpaidInstance,
        RecordMarketplacePurchase,
        RecordReservationPurchase,
    ),
    states={
        "none": Scenario,
        "ONLINE": lambda: Scenario().opened(),
        "ONLINE, in arrears": lambda: _gave(Scenario().opened(), SetAccountStanding),
        "ONLINE, brought along": lambda: _gave(Scenario().opened(), RecordOpeningPosition),
        "CSP": lambda: Scenario().opened(AccountType.CSP, "USD"),
        "PAYG_CARD": lambda: Scenario().opened(AccountType.PAYG_CARD, "USD"),
        "EA": lambda: Scenario().opened(AccountType.EA, "USD"),
    },
)
PREPAID = Family(
    name="prepaid instance",
    commands=InstanceCommand.__args__,
    states={
        "none": lambda: Scenario().opened(),
        "RUNNING": lambda: bought().later(HOUR),
        "RUNNING, renewed": lambda: _gave(bought().later(HOUR), RecordInstanceOrder),
        "RUNNING, expired": lambda: bought().later(366 * DAY),
        "ISOLATED (RETURNED)": lambda: _returned().later(HOUR),
        "ISOLATED, window over": lambda: _returned().later(169 * HOUR),
        "ISOLATED, averted": lambda: _gave(_returned().later(HOUR), RecordInstanceOrder),
        "ISOLATED (EXPIRED)": lambda: _gave(bought().later(365 * DAY), ExpireInstance),
        "DESTROYED": lambda: _gave(_returned().later(HOUR), TakeInstanceOffline),
    },
)
POSTPAID = Family(
    name="postpaid instance",
    commands=InstanceCommand.__args__,
    states={
        "RUNNING": lambda: started().later(HOUR),
        "RUNNING, in arrears": lambda: _gave(started(), SetAccountStanding),
        "ISOLATED": lambda: _gave(started(), DestroyPostpaidInstance).later(HOUR),
        "ISOLATED, window over": lambda: _gave(started(), DestroyPostpaidInstance).later(3 * HOUR),
        "DESTROYED": lambda: _gave(started(), DestroyPostpaidInstance, TakeInstanceOffline),
    },
)
SAAS = Family(
    name="marketplace purchase",
    commands=MarketplaceCommand.__args__,
    states={
        "none": lambda: Scenario().opened(),
        "ACTIVE": market.bought,
        "ACTIVE, review over": lambda: market.bought().later(6 * DAY),
        "ACTIVE, invoice APPLIED": lambda: market.invoice(market.bought(), InvoiceState.APPLIED),
        "ACTIVE, invoice ISSUED": lambda: market.invoice(
            market.bought(), InvoiceState.APPLIED, InvoiceState.ISSUED
        ),
        "REFUND_PENDING": market.applied,
        "REFUND_PENDING, third day over": lambda: market.applied().later(5 * DAY),
        "HELD": _held,
        "REFUNDED": lambda: market.approve(market.applied()),
        "ACTIVE, part refunded": lambda: _gave(market.bought(), RefundMarketplaceManually),
    },
)
OTHER_KINDS = Family(
    name="marketplace purchase of another kind",
    commands=MarketplaceCommand.__args__,
    states={
        "HUMAN_SERVICE ACTIVE": lambda: market.bought(ProductKind.HUMAN_SERVICE),
        "HUMAN_SERVICE confirmed": lambda: _gave(
            market.bought(ProductKind.HUMAN_SERVICE), ConfirmService, role=Role.BUYER
        ),
        "HUMAN_SERVICE REFUND_PENDING": lambda: market.applied(ProductKind.HUMAN_SERVICE).later(
            5 * DAY
        ),
        "API ACTIVE": lambda: market.bought(ProductKind.API),
        "IMAGE ACTIVE": lambda: market.bought(ProductKind.IMAGE),
    },
)
RESERVATION = Family(
    name="reservation",
    commands=ReservationCommand.__args__,
    states={
        "none": lambda: Scenario().opened(AccountType.CSP, "USD"),
        "ACTIVE": lambda: held.holding().later(HOUR),
        "ACTIVE, at its end": lambda: held.holding().later(365 * DAY),
        "ACTIVE, part given back": lambda: held.by_support(
            held.holding(held.bought(quantity=2)), quantity=1
        ),
        "CANCELLED": lambda: held.by_support(held.holding()),
        "EXCHANGED": lambda: _gave(held.holding(), ExchangeReservations),
        "EXPIRED": lambda: _gave(held.holding().later(365 * DAY), ExpireReservation),
    },
)
REFUND = Family(
    name="refund",
    commands=SettlementCommand.__args__,
    states={
        "none": lambda: Scenario().opened(),
        "ISSUED": _returned,
        "SETTLED": lambda: _gave(_returned(), SettleRefund),
        "CORRECTED": lambda: _gave(_returned(), SettleRefund, CorrectRefund),
        "ISSUED, to a card": _to_a_card,
        "SETTLING, to a card": lambda: _gave(_to_a_card(), SettleRefund),
        "HELD, the gateway failed": lambda: _gave(_to_a_card(), SettleRefund, FailCardRefund),
        "SETTLING, attempt 2": _asked_again,
        "HELD, another card": lambda: _gave(_to_a_card(), ChangeCard, SettleRefund),
        "SETTLED, to a card": lambda: _gave(_to_a_card(), SettleRefund, ConfirmCardRefund),
        "SETTLED, attempt 2 under way": lambda: _gave(_asked_again(), ConfirmCardRefund),
        "CORRECTED, to a card": lambda: _gave(
            _to_a_card(), SettleRefund, FailCardRefund, CorrectRefund
        ),
    },
)
FAMILIES = (ACCOUNT, PREPAID, POSTPAID, SAAS, OTHER_KINDS, RESERVATION, REFUND)

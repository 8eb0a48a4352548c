"""Every command upstream billing, people and timers may give: the orders, on one page.

A class name is the command's name on the wire; the fields are its body. Who may give it stands in
`ROLES`. `currency` is the currency of every amount in the body.
"""

from __future__ import annotations

from ledger.values.instants import Day, Instant
from ledger.values.money import Currency, Decimal12, Minor
from ledger.vocabulary.shapes import (
    AccountType,
    BillingPlan,
    ByFund,
    Channel,
    Component,
    DurationDiscount,
    Funds,
    InvoiceState,
    NewReservation,
    OpeningCapUse,
    OpeningCredit,
    OrderKind,
    OrderLine,
    Payment,
    ProductKind,
    RefundReason,
    ReservationReturn,
    Role,
    Shape,
)


class OpenAccount(Shape, frozen=True, kw_only=True):
    account_type: AccountType
    us_government: bool
    currency: Currency


class RecordOpeningPosition(Shape, frozen=True, kw_only=True):
    as_of: Instant
    full_refunds_used: int
    ordinary_returns_used: int
    marketplace_refunds_issued: int
    cap_uses: tuple[OpeningCapUse, ...]
    balance: ByFund
    held_credits: tuple[OpeningCredit, ...]
    currency: Currency


class SetAccountStanding(Shape, frozen=True, kw_only=True):
    in_arrears: bool


class OpenCommitmentTerm(Shape, frozen=True, kw_only=True):
    term_id: str
    starts_on: Day
    ends_on: Day
    amount: Minor
    currency: Currency


class ChangeCard(Shape, frozen=True, kw_only=True):
    card_id: str


class EraseSubject(Shape, frozen=True, kw_only=True):
    """All texts sealed under the keys of the account up to this number are to be erased."""

    key_number: int


class RecordInstanceOrder(Shape, frozen=True, kw_only=True):
    order_id: str
    kind: OrderKind
    channel: Channel
    starts_at: Instant
    ends_at: Instant
    delivered_at: Instant | None = None
    lines: tuple[OrderLine, ...]
    currency: Currency


class StartPostpaidInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    product: str
    region: str


class RecordInstanceUpgrade(Shape, frozen=True, kw_only=True):
    instance_id: str
    upgrade_id: str
    upgraded_at: Instant
    paid: Funds
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    currency: Currency


class QuoteInstanceReturn(Shape, frozen=True, kw_only=True):
    instance_id: str


class ReturnInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    quote_id: str | None = None
    acknowledged: bool
    confirmed_amount: Minor | None = None
    currency: Currency | None = None


class QuoteInstanceDowngrade(Shape, frozen=True, kw_only=True):
    instance_id: str
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    currency: Currency


class DowngradeInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()
    quote_id: str | None = None
    acknowledged: bool
    confirmed_amount: Minor | None = None
    currency: Currency


class DestroyPostpaidInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    acknowledged: bool


class RestoreInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    renewal_order_id: str | None = None


class TakeInstanceOffline(Shape, frozen=True, kw_only=True):
    instance_id: str


class ExpireInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    order_id: str


class DestroyIsolatedInstance(Shape, frozen=True, kw_only=True):
    instance_id: str
    isolation_id: str


class RecordMarketplacePurchase(Shape, frozen=True, kw_only=True):
    purchase_id: str
    product_kind: ProductKind
    vendor_id: str
    buyer_id: str
    paid: Funds
    purchased_at: Instant
    refunded: ByFund | None = None
    currency: Currency


class ConfirmService(Shape, frozen=True, kw_only=True):
    purchase_id: str


class RecordInvoiceState(Shape, frozen=True, kw_only=True):
    purchase_id: str
    invoice_state: InvoiceState


class RequestMarketplaceRefund(Shape, frozen=True, kw_only=True):
    purchase_id: str
    reason: RefundReason | None = None
    acknowledged: bool


class WithdrawMarketplaceRefund(Shape, frozen=True, kw_only=True):
    purchase_id: str


class ApproveMarketplaceRefund(Shape, frozen=True, kw_only=True):
    purchase_id: str
    note: str | None = None


class DeclineMarketplaceRefund(Shape, frozen=True, kw_only=True):
    purchase_id: str
    note: str | None = None


class CompleteOverdueMarketplaceRefund(Shape, frozen=True, kw_only=True):
    purchase_id: str
    request_id: str


class RefundMarketplaceManually(Shape, frozen=True, kw_only=True):
    purchase_id: str
    ticket: str
    amount: Minor
    currency: Currency


class RecordReservationPurchase(Shape, frozen=True, kw_only=True):
    reservation_id: str
    product_type: str
    sku: str
    region: str
    quantity: int
    term_months: int
    starts_on: Day
    total: Minor
    billing_plan: BillingPlan
    payment: Payment
    owners: tuple[str, ...]
    returned_quantity: int | None = None
    refunded: Minor | None = None
    currency: Currency


class QuoteReservationRefund(Shape, frozen=True, kw_only=True):
    reservation_id: str
    quantity: int | None = None
    usd_rate: Decimal12


class RefundReservation(Shape, frozen=True, kw_only=True):
    reservation_id: str
    quantity: int | None = None
    usd_rate: Decimal12
    quote_id: str | None = None
    acknowledged: bool
    confirmed_amount: Minor | None = None
    currency: Currency | None = None


class QuoteReservationExchange(Shape, frozen=True, kw_only=True):
    returns: tuple[ReservationReturn, ...]
    purchases: tuple[NewReservation, ...]
    currency: Currency


class ExchangeReservations(Shape, frozen=True, kw_only=True):
    returns: tuple[ReservationReturn, ...]
    purchases: tuple[NewReservation, ...]
    quote_id: str | None = None
    acknowledged: bool
    confirmed_amount: Minor | None = None
    currency: Currency


class SwapReservation(Shape, frozen=True, kw_only=True):
    reservation_id: str
    sku: str


class TransferReservation(Shape, frozen=True, kw_only=True):
    reservation_id: str
    owners: tuple[str, ...]


class ExpireReservation(Shape, frozen=True, kw_only=True):
    reservation_id: str


class SettleRefund(Shape, frozen=True, kw_only=True):
    refund_id: str
    card_id: str | None = None


class ConfirmCardRefund(Shape, frozen=True, kw_only=True):
    """`attempt` is the card refund that is answered, from 1; where absent, the last one."""

    refund_id: str
    gateway_reference: str
    reason: str | None = None
    attempt: int | None = None


class FailCardRefund(Shape, frozen=True, kw_only=True):
    """`attempt` is the card refund that is answered, from 1; where absent, the last one."""

    refund_id: str
    gateway_reference: str
    reason: str | None = None
    attempt: int | None = None


class CorrectRefund(Shape, frozen=True, kw_only=True):
    refund_id: str
    reason: str
    restore_quota: bool
    restore_cap: bool


AccountCommand = (
    OpenAccount
    | RecordOpeningPosition
    | SetAccountStanding
    | OpenCommitmentTerm
    | ChangeCard
    | EraseSubject
)
InstanceCommand = (
    RecordInstanceOrder
    | StartPostpaidInstance
    | RecordInstanceUpgrade
    | QuoteInstanceReturn
    | ReturnInstance
    | QuoteInstanceDowngrade
    | DowngradeInstance
    | DestroyPostpaidInstance
    | RestoreInstance
    | TakeInstanceOffline
    | ExpireInstance
    | DestroyIsolatedInstance
)
MarketplaceCommand = (
    RecordMarketplacePurchase
    | ConfirmService
    | RecordInvoiceState
    | RequestMarketplaceRefund
    | WithdrawMarketplaceRefund
    | ApproveMarketplaceRefund
    | DeclineMarketplaceRefund
    | CompleteOverdueMarketplaceRefund
    | RefundMarketplaceManually
)
ReservationCommand = (
    RecordReservationPurchase
    | QuoteReservationRefund
    | RefundReservation
    | QuoteReservationExchange
    | ExchangeReservations
    | SwapReservation
    | TransferReservation
    | ExpireReservation
)
SettlementCommand = SettleRefund | ConfirmCardRefund | FailCardRefund | CorrectRefund
QuoteCommand = (
    QuoteInstanceReturn | QuoteInstanceDowngrade | QuoteReservationRefund | QuoteReservationExchange
)
"""Asks what an act would give: whatever would refuse the act is listed in the answer."""

Command = (
    AccountCommand | InstanceCommand | MarketplaceCommand | ReservationCommand | SettlementCommand
)

_BILLING, _OWNER, _SYSTEM = Role.BILLING, Role.OWNER, Role.SYSTEM
_BUYER, _VENDOR, _SUPPORT = Role.BUYER, Role.VENDOR, Role.SUPPORT
ROLES: dict[type[Command], frozenset[Role]] = {
    OpenAccount: frozenset({_BILLING}),
    RecordOpeningPosition: frozenset({_BILLING}),
    SetAccountStanding: frozenset({_BILLING}),
    OpenCommitmentTerm: frozenset({_BILLING}),
    ChangeCard: frozenset({_BILLING}),
    EraseSubject: frozenset({_SUPPORT}),
    RecordInstanceOrder: frozenset({_BILLING}),
    StartPostpaidInstance: frozenset({_BILLING}),
    RecordInstanceUpgrade: frozenset({_BILLING}),
    QuoteInstanceReturn: frozenset({_OWNER}),
    ReturnInstance: frozenset({_OWNER}),
    QuoteInstanceDowngrade: frozenset({_OWNER}),
    DowngradeInstance: frozenset({_OWNER}),
    DestroyPostpaidInstance: frozenset({_OWNER}),
    RestoreInstance: frozenset({_OWNER}),
    TakeInstanceOffline: frozenset({_OWNER}),
    ExpireInstance: frozenset({_SYSTEM}),
    DestroyIsolatedInstance: frozenset({_SYSTEM}),
    RecordMarketplacePurchase: frozenset({_BILLING}),
    ConfirmService: frozenset({_BUYER, _BILLING}),
    RecordInvoiceState: frozenset({_BILLING, _VENDOR}),
    RequestMarketplaceRefund: frozenset({_BUYER}),
    WithdrawMarketplaceRefund: frozenset({_BUYER}),
    ApproveMarketplaceRefund: frozenset({_VENDOR}),
    DeclineMarketplaceRefund: frozenset({_VENDOR}),
    CompleteOverdueMarketplaceRefund: frozenset({_SYSTEM}),
    RefundMarketplaceManually: frozenset({_SUPPORT}),
    RecordReservationPurchase: frozenset({_BILLING}),
    QuoteReservationRefund: frozenset({_OWNER}),
    RefundReservation: frozenset({_OWNER}),
    QuoteReservationExchange: frozenset({_OWNER}),
    ExchangeReservations: frozenset({_OWNER}),
    SwapReservation: frozenset({_OWNER}),
    TransferReservation: frozenset({_OWNER}),
    ExpireReservation: frozenset({_SYSTEM}),
    SettleRefund: frozenset({_SYSTEM, _SUPPORT}),
    ConfirmCardRefund: frozenset({_BILLING}),
    FailCardRefund: frozenset({_BILLING}),
    CorrectRefund: frozenset({_SUPPORT}),
}
"""Who may give a command. SUPPORT may also stand in for OWNER and BUYER."""

COMMANDS: dict[str, type[Command]] = {kind.__name__: kind for kind in ROLES}
"""Every command by its name on the wire."""

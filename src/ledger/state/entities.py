"""The entities of the state, as they are stored."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ledger.state.account_entities import (
    CapBlock,
    CapGroup,
    CapUses,
    CommitmentTerm,
    HeldCredit,
    HeldCredits,
)
from ledger.values.instants import Day, Instant
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import (
    AccountType,
    BillingPlan,
    Channel,
    Component,
    DurationDiscount,
    Funds,
    InvoicedPurchase,
    InvoiceState,
    IsolationReason,
    NewReservation,
    OrderKind,
    OrderLine,
    Parts,
    Payment,
    Posting,
    ProductKind,
    RefundReason,
    RefundRule,
    RefundSource,
    ReservationReturn,
)


class Stream(Struct, frozen=True, kw_only=True):
    """How many events the account has, there from the first on, and how many are no refusals."""

    sequence: int
    facts: int = 0


class SeenCommand(Struct, frozen=True, kw_only=True):
    """A decided command: its content digest, and the first event of its outcome."""

    digest: bytes
    sequence: int


class RefusedReuse(Struct, frozen=True, kw_only=True):
    """A content that was refused since its command id had another before; kept by both, so that an
    id that is used again and again costs no more each time.
    """

    sequence: int


class Account(Struct, frozen=True, kw_only=True):
    """An account with its quotas, and the commitment terms that were not over when the last one was
    opened.

    `credit_overdrawn` is what purchases consumed of credits whose refunds were corrected since.
    """

    account_type: AccountType
    us_government: bool
    currency: Currency
    in_arrears: bool = False
    card_id: str | None = None
    full_refunds_used: int = 0
    ordinary_returns_used: int = 0
    marketplace_refunds_issued: int = 0
    marketplace_refunds_pending: int = 0
    commitment_terms: tuple[CommitmentTerm, ...] = ()
    credit_overdrawn: Minor = 0


class OpeningPosition(Struct, frozen=True, kw_only=True):
    """That an account has brought one along, and as of when."""

    as_of: Instant


class ErasedKeys(Struct, frozen=True, kw_only=True):
    """The keys of an account up to this number are destroyed."""

    up_to: int


class Billing(StrEnum):
    """How an instance is paid: prepaid (包年包月) or by use (按量计费)."""

    PREPAID = "PREPAID"
    POSTPAID = "POSTPAID"


class InstanceStatus(StrEnum):
    """The state of an instance."""

    RUNNING = "RUNNING"
    ISOLATED = "ISOLATED"
    DESTROYED = "DESTROYED"


class Upgrade(Struct, frozen=True, kw_only=True):
    """A larger configuration of an instance, and what was paid for it."""

    upgrade_id: str
    instance_id: str
    upgraded_at: Instant
    paid: Funds


class InstanceOrder(Struct, frozen=True, kw_only=True):
    """An order as far as it concerns one instance. Since a downgrade `line` has the smaller
    configuration and what was left as paid; `downgrades` are the refunds of such acts.
    """

    order_id: str
    kind: OrderKind
    channel: Channel
    starts_at: Instant
    ends_at: Instant
    delivered_at: Instant
    recorded_at: Instant
    line: OrderLine
    upgrades: tuple[Upgrade, ...] = ()
    downgraded_at: Instant | None = None
    downgrades: tuple[str, ...] = ()


class Isolation(Struct, frozen=True, kw_only=True):
    """One stay in the recycle bin. `averted_by` is the renewal that averts the destruction.

    `late_since` is the end of the first of the orders that were over before they were recorded: the
    time ran out then, but the instance never stood still.
    """

    isolation_id: str
    reason: IsolationReason
    isolated_at: Instant
    restore_until: Instant
    averted_by: str | None = None
    late_since: Instant | None = None


class Instance(Struct, frozen=True, kw_only=True):
    """An instance: its live orders in the order of their start, and its last isolation.

    `late_since` is that of the isolation it was restored from last.
    """

    instance_id: str
    billing: Billing
    status: InstanceStatus
    orders: tuple[InstanceOrder, ...] = ()
    isolation: Isolation | None = None
    destroyed_by_retention: bool = False
    late_since: Instant | None = None


class Order(Struct, frozen=True, kw_only=True):
    """A recorded instance order, in any state."""

    kind: OrderKind
    instance_ids: tuple[str, ...]


class QuoteKind(StrEnum):
    """What a quote is for."""

    INSTANCE_RETURN = "INSTANCE_RETURN"
    INSTANCE_DOWNGRADE = "INSTANCE_DOWNGRADE"
    RESERVATION_REFUND = "RESERVATION_REFUND"
    RESERVATION_EXCHANGE = "RESERVATION_EXCHANGE"


class QuoteStatus(StrEnum):
    """Whether a quote can still be used."""

    OPEN = "OPEN"
    USED = "USED"


class Quote(Struct, frozen=True, kw_only=True):
    """What was quoted, with the parameters it was quoted for. `subject_id` is the instance or
    reservation; an exchange has its legs instead.
    """

    quoted_at: Instant
    expires_at: Instant
    status: QuoteStatus
    kind: QuoteKind
    subject_id: str | None = None
    components: tuple[Component, ...] = ()
    duration_discounts: tuple[DurationDiscount, ...] = ()
    quantity: int | None = None
    usd_rate: str | None = None
    returns: tuple[ReservationReturn, ...] = ()
    returned_values: tuple[Minor, ...] = ()
    purchases: tuple[NewReservation, ...] = ()
    rule: RefundRule | None = None
    fee: Minor = 0
    amount: Minor
    parts: Parts | None = None


class PurchaseStatus(StrEnum):
    """The state of a marketplace purchase."""

    ACTIVE = "ACTIVE"
    REFUND_PENDING = "REFUND_PENDING"
    HELD = "HELD"
    REFUNDED = "REFUNDED"


class RefundRequest(Struct, frozen=True, kw_only=True):
    """The application under way; `auto_approved` once it is held after an approval."""

    request_id: str
    reason: RefundReason
    due_at: Instant | None = None
    auto_approved: bool | None = None


class Purchase(Struct, frozen=True, kw_only=True):
    """A marketplace purchase with the amount refunded so far."""

    product_kind: ProductKind
    vendor_id: str
    buyer_id: str
    paid: Funds
    purchased_at: Instant
    status: PurchaseStatus = PurchaseStatus.ACTIVE
    invoice_state: InvoiceState = InvoiceState.NONE
    service_confirmed: bool = False
    access_revoked: bool = False
    request: RefundRequest | None = None
    refunded_cash: Minor = 0
    refunded_gift: Minor = 0


class ReservationStatus(StrEnum):
    """The state of a reservation."""

    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    EXCHANGED = "EXCHANGED"
    EXPIRED = "EXPIRED"


class InstalmentReturns(Struct, frozen=True, kw_only=True):
    """What was given back within one instalment (an upfront payment is one), and refunded of it."""

    number: int
    quantity: int
    refunded: Minor


class Reservation(Struct, frozen=True, kw_only=True):
    """A reservation with the quantity still held. `purchased_at` is the recording instant,
    `invoice_id` the invoice that first showed the purchase, `refunded_before` what had gone back of
    it then.
    """

    product_type: str
    sku: str
    region: str
    original_quantity: int
    quantity: int
    term_months: int
    starts_on: Day
    ends_on: Day
    total: Minor
    billing_plan: BillingPlan
    payment: Payment
    owners: tuple[str, ...]
    purchased_at: Instant
    status: ReservationStatus = ReservationStatus.ACTIVE
    returns: InstalmentReturns | None = None
    refunded: Minor = 0
    refunded_before: Minor = 0
    invoice_id: str | None = None


class RefundStatus(StrEnum):
    """The state of a refund."""

    ISSUED = "ISSUED"
    SETTLING = "SETTLING"
    SETTLED = "SETTLED"
    HELD = "HELD"
    CORRECTED = "CORRECTED"


class CardAttempt(Struct, frozen=True, kw_only=True):
    """A card refund asked for: the references under which the gateway confirmed and failed it."""

    confirmed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Refund(Struct, frozen=True, kw_only=True):
    """Money owed, and every posting made for it so far.

    A reservation's names the instalment it was given back in, and says whether a new invoice shows
    it; a returned leg's names its exchange. `cap_block` is where its use of the cap is kept,
    `held_credit` the number of the credit it became. Its card refunds are numbered from 1.
    """

    source: RefundSource
    rule: RefundRule | None
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts
    status: RefundStatus
    quota_spent: bool = False
    postings: tuple[Posting, ...] = ()
    instalment: int | None = None
    exchange_id: str | None = None
    invoiced: bool = False
    cap_block: int | None = None
    held_credit: int | None = None
    attempts: tuple[CardAttempt, ...] = ()


class Exchange(Struct, frozen=True, kw_only=True):
    """What was returned and bought together: the refunds of the legs with the quantity of each, and
    the new reservations.
    """

    refund_ids: tuple[str, ...]
    returned_quantities: tuple[int, ...]
    reservation_ids: tuple[str, ...]
    purchased_total: Minor


class Invoice(Struct, frozen=True, kw_only=True):
    """What an invoice shows, and the one that was issued in its place when it was cancelled.

    `purchases` are what should stand on it. `purchased` and `refunded` are the lines it was issued
    with, by which alone the first edition went.
    """

    purchased: Minor = 0
    refunded: Minor = 0
    purchases: tuple[InvoicedPurchase, ...] = ()
    replaced_by: str | None = None


Entity = (
    Stream
    | SeenCommand
    | RefusedReuse
    | Account
    | OpeningPosition
    | ErasedKeys
    | CommitmentTerm
    | HeldCredits
    | HeldCredit
    | CapUses
    | CapGroup
    | CapBlock
    | Instance
    | Order
    | Upgrade
    | Quote
    | Purchase
    | Reservation
    | Refund
    | Exchange
    | Invoice
)

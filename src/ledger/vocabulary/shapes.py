"""The records in commands and events: funds, order lines, legs, postings, working."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ledger.values.instants import Day, Instant
from ledger.values.money import Decimal12, Micros, Minor, UsdCents


class Shape(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every part of a command or event: frozen, keyword-only, defaults left out."""


class Role(StrEnum):
    """The role of an actor."""

    OWNER = "OWNER"
    BUYER = "BUYER"
    VENDOR = "VENDOR"
    SUPPORT = "SUPPORT"
    BILLING = "BILLING"
    SYSTEM = "SYSTEM"


class AccountType(StrEnum):
    """ONLINE accounts hold instances and marketplace purchases, the others reservations."""

    ONLINE = "ONLINE"
    EA = "EA"
    PAYG_INVOICE = "PAYG_INVOICE"
    PAYG_CARD = "PAYG_CARD"
    CSP = "CSP"


class OrderKind(StrEnum):
    """A NEW order brings an instance into being, a RENEWAL prolongs it, a CONVERSION makes one that
    is paid by use a prepaid one.
    """

    NEW = "NEW"
    RENEWAL = "RENEWAL"
    CONVERSION = "CONVERSION"


class Channel(StrEnum):
    """How an order was sold; PROMOTION is the promotion-reward channel (推广奖励渠道)."""

    STANDARD = "STANDARD"
    PROMOTION = "PROMOTION"


class ProductKind(StrEnum):
    """What a marketplace purchase is of; it decides whether and until when it can be undone."""

    SAAS = "SAAS"
    HUMAN_SERVICE = "HUMAN_SERVICE"
    API = "API"
    IMAGE = "IMAGE"


class InvoiceState(StrEnum):
    """The state of a marketplace purchase's invoice."""

    NONE = "NONE"
    APPLIED = "APPLIED"
    ISSUED = "ISSUED"
    RETURNED = "RETURNED"


class RefundReason(StrEnum):
    """The fixed list from which a marketplace buyer chooses."""

    CANNOT_DELIVER = "CANNOT_DELIVER"
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"
    BOUGHT_BY_MISTAKE = "BOUGHT_BY_MISTAKE"
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    OTHER = "OTHER"


class BillingPlan(StrEnum):
    """How a reservation is paid: at once, or in monthly instalments."""

    UPFRONT = "UPFRONT"
    MONTHLY = "MONTHLY"


class PaymentMethod(StrEnum):
    """How a reservation was paid; its refund is paid the same way."""

    COMMITMENT = "COMMITMENT"
    OVERAGE = "OVERAGE"
    INVOICE = "INVOICE"
    CARD = "CARD"


class RefundRule(StrEnum):
    """The rule that gave a refund its amount."""

    FIVE_DAYS_NO_REASON = "FIVE_DAYS_NO_REASON"
    ORDINARY_RETURN = "ORDINARY_RETURN"
    MARKETPLACE_REVIEW = "MARKETPLACE_REVIEW"
    MARKETPLACE_MANUAL = "MARKETPLACE_MANUAL"
    RESERVATION_REFUND = "RESERVATION_REFUND"
    DOWNGRADE = "DOWNGRADE"


class SourceKind(StrEnum):
    """The kind of a refund's source."""

    INSTANCE = "INSTANCE"
    MARKETPLACE = "MARKETPLACE"
    RESERVATION = "RESERVATION"


class IsolationReason(StrEnum):
    """Why an instance went to the recycle bin."""

    RETURNED = "RETURNED"
    DESTROYED_BY_OWNER = "DESTROYED_BY_OWNER"
    EXPIRED = "EXPIRED"


class DestructionReason(StrEnum):
    """Why an instance in the recycle bin was destroyed."""

    RETENTION_ELAPSED = "RETENTION_ELAPSED"
    TAKEN_OFFLINE = "TAKEN_OFFLINE"


class HoldReason(StrEnum):
    """Why a refund waits for a person."""

    GATEWAY_FAILED = "GATEWAY_FAILED"
    ORIGINAL_CARD_CHANGED = "ORIGINAL_CARD_CHANGED"


class GatewayAnswer(StrEnum):
    """What a card gateway says of an attempt."""

    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


class InvoiceLineKind(StrEnum):
    """What a line of a reissued invoice shows."""

    PURCHASE = "PURCHASE"
    REFUND = "REFUND"


class Side(StrEnum):
    """The side of a posting."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class Actor(Shape, frozen=True, kw_only=True):
    """Who sends a command or caused an event, and in which role."""

    id: str
    role: Role


class Funds(Shape, frozen=True, kw_only=True):
    """A payment by fund. Vouchers are never refunded and do not count as paid."""

    cash: Minor
    gift: Minor
    voucher: Minor = 0


class ByFund(Shape, frozen=True, kw_only=True):
    """A sum by fund: cash and gift money."""

    cash: Minor
    gift: Minor


class OpeningCapUse(Shape, frozen=True, kw_only=True):
    """A refund made before the ledger was adopted that counts against the cap, in both readings.

    `reference` is the other system's name for it.
    """

    reference: str
    refunded_at: Instant
    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents


class OpeningCredit(Shape, frozen=True, kw_only=True):
    """What was left of a held credit when the ledger was adopted."""

    credit_id: str
    amount: Minor


class LadderStep(Shape, frozen=True, kw_only=True):
    """The price per hour from this hour of use on, until the next step."""

    from_hours: int
    hourly: Micros


class DurationDiscount(Shape, frozen=True, kw_only=True):
    """The factor of the list price from this many whole months of use on."""

    from_months: int
    factor: Decimal12


class Component(Shape, frozen=True, kw_only=True):
    """A priced part of an instance: list price per month, and the pay-as-you-go ladder."""

    name: str
    list_monthly: Micros
    payg: tuple[LadderStep, ...]


class OrderLine(Shape, frozen=True, kw_only=True):
    """One instance of an order: its payment, and the prices that value its use."""

    instance_id: str
    product: str
    region: str
    paid: Funds
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()


class Payment(Shape, frozen=True, kw_only=True):
    """How a reservation was paid, with the id that the method needs."""

    method: PaymentMethod
    term_id: str | None = None
    invoice_id: str | None = None
    card_id: str | None = None


class ReservationReturn(Shape, frozen=True, kw_only=True):
    """A reservation to return; without a quantity, all that is held."""

    reservation_id: str
    quantity: int | None = None


class NewReservation(Shape, frozen=True, kw_only=True):
    """A reservation to be bought in an exchange; its term starts at the exchange."""

    reservation_id: str
    product_type: str
    sku: str
    region: str
    quantity: int
    term_months: int
    total: Minor
    billing_plan: BillingPlan
    payment: Payment


class RefundSource(Shape, frozen=True, kw_only=True):
    """The instance, purchase or reservation a refund is of."""

    kind: SourceKind
    id: str


class Parts(Shape, frozen=True, kw_only=True):
    """A refund by fund: cash and gift money, or (reservations) the original payment."""

    cash: Minor | None = None
    gift: Minor | None = None
    original: Minor | None = None


class CapUse(Shape, frozen=True, kw_only=True):
    """The amount of a refund against the rolling cap, on both bases, fixed when decided."""

    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents
    rate: Decimal12


class WorkingStep(Shape, frozen=True, kw_only=True):
    """One step of a calculation, with the inputs and the result in readable form."""

    step: str
    inputs: dict[str, str]
    result: str


class Posting(Shape, frozen=True, kw_only=True):
    """One line of the double entry, in the event's currency. `transaction` numbers the journal
    transaction within the event.
    """

    transaction: int
    account: str
    side: Side
    amount: Minor


class ReturnedLeg(Shape, frozen=True, kw_only=True):
    """A reservation returned in an exchange, and its refund.

    `quantity_left` is what is still held of it. `instalment` numbers the one in which it was given
    back, from 1; an upfront payment is one.
    """

    reservation_id: str
    quantity: int
    quantity_left: int
    instalment: int
    value: Minor
    refund_id: str


class PurchasedLeg(Shape, frozen=True, kw_only=True):
    """A reservation bought in an exchange."""

    reservation_id: str
    total: Minor
    starts_on: Day
    ends_on: Day


class InvoicedPurchase(Shape, frozen=True, kw_only=True):
    """A reservation on an invoice.

    `price` is that of the `quantity` invoiced: units given back for other reservations are no part
    of it. `netted` is the value of returned reservations that paid for it in an exchange; of it at
    most `price` less `refunded` is shown. `carried` says that it stood on an invoice before.
    """

    reservation_id: str
    quantity: int
    price: Minor
    refunded: Minor
    netted: Minor
    carried: bool


class InvoiceLine(Shape, frozen=True, kw_only=True):
    """A line of a reissued invoice."""

    kind: InvoiceLineKind
    amount: Minor

"""The records that commands and events are made of: funds, order lines, legs, postings, working."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ledger.values.instants import Day, Instant
from ledger.values.money import Decimal12, Micros, Minor, UsdCents


class Shape(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every part of a command or event is: frozen, by keyword, absent where default."""


class Role(StrEnum):
    """In what capacity an actor speaks."""

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
    """Where a marketplace purchase's invoice stands."""

    NONE = "NONE"
    APPLIED = "APPLIED"
    ISSUED = "ISSUED"
    RETURNED = "RETURNED"


class RefundReason(StrEnum):
    """The closed list a marketplace buyer chooses from."""

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
    """What a reservation was bought with; its refund goes back the same way."""

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
    """What a refund is of."""

    INSTANCE = "INSTANCE"
    MARKETPLACE = "MARKETPLACE"
    RESERVATION = "RESERVATION"


class IsolationReason(StrEnum):
    """Why an instance went to the recycle bin."""

    RETURNED = "RETURNED"
    DESTROYED_BY_OWNER = "DESTROYED_BY_OWNER"
    EXPIRED = "EXPIRED"


class DestructionReason(StrEnum):
    """Why an instance left the recycle bin for good."""

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
    """Who speaks, and as what."""

    id: str
    role: Role


class Funds(Shape, frozen=True, kw_only=True):
    """A payment by fund. Vouchers are never returned and are no part of "paid"."""

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
    """From this hour of use on, this price an hour, until the next step."""

    from_hours: int
    hourly: Micros


class DurationDiscount(Shape, frozen=True, kw_only=True):
    """From this many whole months of use on, the list price times this factor."""

    from_months: int
    factor: Decimal12


class Component(Shape, frozen=True, kw_only=True):
    """A priced part of an instance: list price a month, and the pay-as-you-go ladder."""

    name: str
    list_monthly: Micros
    payg: tuple[LadderStep, ...]


class OrderLine(Shape, frozen=True, kw_only=True):
    """One instance of an order: what was paid for it, and the prices to value its use at."""

    instance_id: str
    product: str
    region: str
    paid: Funds
    components: tuple[Component, ...]
    duration_discounts: tuple[DurationDiscount, ...] = ()


class Payment(Shape, frozen=True, kw_only=True):
    """How a reservation was paid, with the id that the method calls for."""

    method: PaymentMethod
    term_id: str | None = None
    invoice_id: str | None = None
    card_id: str | None = None


class ReservationReturn(Shape, frozen=True, kw_only=True):
    """A reservation to give back; the whole of what is held where no quantity is named."""

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
    """What a refund counts against the rolling cap, in both readings, frozen when decided."""

    refund_usd: UsdCents
    cancelled_commitment_usd: UsdCents
    rate: Decimal12


class WorkingStep(Shape, frozen=True, kw_only=True):
    """One step of a calculation, with the inputs and the result as a person would write them."""

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
    """A reservation given back in an exchange, and the refund that settles it.

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
    """A reservation as an invoice shows it.

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

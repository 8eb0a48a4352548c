"""Facts about reservations: bought, quoted, cancelled, exchanged, swapped, expired."""

from __future__ import annotations

from ledger.values.instants import Day, Instant
from ledger.values.money import Currency, Decimal12, Minor
from ledger.values.refusal import Violation
from ledger.vocabulary.shapes import (
    BillingPlan,
    CapUse,
    NewReservation,
    Parts,
    Payment,
    Posting,
    PurchasedLeg,
    RefundRule,
    ReservationReturn,
    ReturnedLeg,
    Shape,
    WorkingStep,
)


class ReservationPurchased(Shape, frozen=True, kw_only=True):
    """`returned_quantity` went back before it was recorded here, and `refunded` of the payment that
    runs: the one numbered `returned_instalment`, absent where nothing went back of it.
    """

    reservation_id: str
    product_type: str
    sku: str
    region: str
    quantity: int
    term_months: int
    starts_on: Day
    ends_on: Day
    total: Minor
    billing_plan: BillingPlan
    payment: Payment
    owners: tuple[str, ...]
    returned_quantity: int | None = None
    refunded: Minor | None = None
    returned_instalment: int | None = None
    postings: tuple[Posting, ...]
    currency: Currency


class ReservationRefundQuoted(Shape, frozen=True, kw_only=True):
    quote_id: str
    reservation_id: str
    quantity: int
    usd_rate: Decimal12
    expires_at: Instant
    rule: RefundRule | None = None
    gross: Minor
    fee: Minor
    amount: Minor
    parts: Parts | None = None
    cap: CapUse | None = None
    violations: tuple[Violation, ...] = ()
    working: tuple[WorkingStep, ...]
    currency: Currency


class ReservationExchangeQuoted(Shape, frozen=True, kw_only=True):
    """`amount` is `payable` again: what a quote is confirmed by. It may be negative for a quote
    with violations only. `returned_values` are the values of `returns`, in their order.
    """

    quote_id: str
    returns: tuple[ReservationReturn, ...]
    purchases: tuple[NewReservation, ...]
    expires_at: Instant
    returned_values: tuple[Minor, ...]
    returned_total: Minor
    purchased_total: Minor
    amount: Minor
    payable: Minor
    remaining_commitment: Minor
    violations: tuple[Violation, ...] = ()
    working: tuple[WorkingStep, ...]
    currency: Currency


class ReservationCancelled(Shape, frozen=True, kw_only=True):
    """`quantity` is what was given back, `quantity_left` what is still held. `instalment` numbers
    the one it was given back in, from 1; an upfront payment is one.
    """

    reservation_id: str
    quantity: int
    quantity_left: int
    instalment: int


class ReservationExchanged(Shape, frozen=True, kw_only=True):
    returned: tuple[ReturnedLeg, ...]
    purchased: tuple[PurchasedLeg, ...]
    bought: tuple[NewReservation, ...]
    owners: tuple[str, ...]
    returned_total: Minor
    purchased_total: Minor
    payable: Minor
    remaining_commitment: Minor
    quote_id: str | None = None
    working: tuple[WorkingStep, ...]
    postings: tuple[Posting, ...]
    currency: Currency


class ReservationSwapped(Shape, frozen=True, kw_only=True):
    reservation_id: str
    sku: str
    previous_sku: str


class ReservationTransferred(Shape, frozen=True, kw_only=True):
    reservation_id: str
    owners: tuple[str, ...]


class ReservationExpired(Shape, frozen=True, kw_only=True):
    reservation_id: str
    quantity: int


ReservationEvent = (
    ReservationPurchased
    | ReservationRefundQuoted
    | ReservationExchangeQuoted
    | ReservationCancelled
    | ReservationExchanged
    | ReservationSwapped
    | ReservationTransferred
    | ReservationExpired
)

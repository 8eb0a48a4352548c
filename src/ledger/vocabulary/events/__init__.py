"""Every event the ledger can record: the facts, a module for each part of the world.

A class name is the event's name on the wire; the fields are its body. `currency` is the currency
of every amount in the body. `postings` are stored, so that a reader can add them up alone.
"""

from __future__ import annotations

from ledger.vocabulary.events.accounts import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommitmentTermOpened,
)
from ledger.vocabulary.events.instances import (
    InstanceDestroyed,
    InstanceEvent,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    PostpaidInstanceStarted,
)
from ledger.vocabulary.events.log import CommandRefused, LedgerOpened, LogEvent
from ledger.vocabulary.events.marketplace import (
    AccessRevoked,
    InvoiceStateRecorded,
    MarketplaceEvent,
    MarketplacePurchaseRecorded,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    MarketplaceRefundHeld,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    ServiceConfirmed,
)
from ledger.vocabulary.events.refunds import (
    RefundCorrected,
    RefundEvent,
    RefundHeld,
    RefundIssued,
    RefundSettled,
)
from ledger.vocabulary.events.reservations import (
    ReservationCancelled,
    ReservationEvent,
    ReservationExchanged,
    ReservationExchangeQuoted,
    ReservationExpired,
    ReservationPurchased,
    ReservationRefundQuoted,
    ReservationSwapped,
    ReservationTransferred,
)
from ledger.vocabulary.events.settlement import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    HeldCreditConsumed,
    InvoiceCancelled,
    InvoiceIssued,
    OverageRerateRequested,
    SettlementEvent,
    SupportTaskOpened,
)

Event = (
    AccountEvent
    | InstanceEvent
    | MarketplaceEvent
    | ReservationEvent
    | RefundEvent
    | SettlementEvent
    | LogEvent
)
_FAMILIES = (
    LogEvent,
    AccountEvent,
    InstanceEvent,
    MarketplaceEvent,
    ReservationEvent,
    RefundEvent,
    SettlementEvent,
)
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for family in _FAMILIES for kind in family.__args__
}
"""Every event by its name on the wire."""

__all__ = [
    "EVENTS",
    "AccessRevoked",
    "AccountEvent",
    "AccountOpened",
    "AccountStandingChanged",
    "BalanceCredited",
    "CardChanged",
    "CardRefundRequested",
    "CommandRefused",
    "CommitmentCredited",
    "CommitmentTermOpened",
    "CreditHeld",
    "CreditMemoIssued",
    "Event",
    "HeldCreditConsumed",
    "InstanceDestroyed",
    "InstanceEvent",
    "InstanceIsolated",
    "InstanceOrderRecorded",
    "InstanceRestored",
    "InstanceReturnQuoted",
    "InvoiceCancelled",
    "InvoiceIssued",
    "InvoiceStateRecorded",
    "LedgerOpened",
    "LogEvent",
    "MarketplaceEvent",
    "MarketplacePurchaseRecorded",
    "MarketplaceRefundApproved",
    "MarketplaceRefundDeclined",
    "MarketplaceRefundHeld",
    "MarketplaceRefundRequested",
    "MarketplaceRefundWithdrawn",
    "OverageRerateRequested",
    "PostpaidInstanceStarted",
    "RefundCorrected",
    "RefundEvent",
    "RefundHeld",
    "RefundIssued",
    "RefundSettled",
    "ReservationCancelled",
    "ReservationEvent",
    "ReservationExchangeQuoted",
    "ReservationExchanged",
    "ReservationExpired",
    "ReservationPurchased",
    "ReservationRefundQuoted",
    "ReservationSwapped",
    "ReservationTransferred",
    "ServiceConfirmed",
    "SettlementEvent",
    "SupportTaskOpened",
]

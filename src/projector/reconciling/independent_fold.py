"""Computes the expected rows of every read model from the events, independently of the views.

This is the reconciliation's own calculation. It shares neither code nor method with
`projector.views`: it uses plain dictionaries, takes balances from the postings, and a refund's
state from its last event.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from ledger.vocabulary import events as e
from ledger.vocabulary.envelope import EventMeta, RecordedEvent

Rows = dict[tuple[Any, ...], dict[str, Any]]
"""Key → row, as in the table."""

_REFUND_STATES: dict[type, str] = {
    e.BalanceCredited: "SETTLING",
    e.CommitmentCredited: "SETTLING",
    e.CreditMemoIssued: "SETTLING",
    e.CreditHeld: "SETTLING",
    e.CardRefundRequested: "SETTLING",
    e.RefundSettled: "SETTLED",
    e.RefundHeld: "HELD",
    e.RefundCorrected: "CORRECTED",
}
_OVERPAID = "customer_receivable"
_QUOTES = (
    e.InstanceReturnQuoted,
    e.InstanceDowngradeQuoted,
    e.ReservationRefundQuoted,
    e.ReservationExchangeQuoted,
)


class Refold:
    """The tables, one event after another."""

    def __init__(self) -> None:
        self.tables: dict[str, Rows] = defaultdict(dict)

    def take(self, recorded: RecordedEvent) -> None:
        """Apply one event to every table."""
        meta, body = recorded.meta, recorded.body
        self._account(meta, body)
        self._instance(meta, body)
        self._bin(meta, body)
        self._refund(meta, body)
        self._total(meta, body)
        self._reservation(meta, body)
        self._refusal(meta, body)
        self._postings(meta, body)
        self._outcome(meta, body)

    def _account(self, m: EventMeta, body: e.Event) -> None:
        rows, key = self.tables["accounts"], (m.account_id,)
        if isinstance(body, e.AccountOpened):
            rows[key] = {
                "account_id": m.account_id,
                "account_type": body.account_type,
                "us_government": body.us_government,
                "currency": body.currency,
                "in_arrears": False,
                "card_id": None,
                "opened_at": m.recorded_at,
                "partition": m.source_partition,
            }
            balance = {"account_id": m.account_id, "currency": body.currency, "cash": 0, "gift": 0}
            self.tables["balances"][key] = balance
        if isinstance(body, e.AccountStandingChanged):
            rows[key]["in_arrears"] = body.in_arrears
        if isinstance(body, e.CardChanged):
            rows[key]["card_id"] = body.card_id

    def _instance(self, m: EventMeta, body: e.Event) -> None:
        rows = self.tables["instances"]
        if isinstance(body, e.InstanceOrderRecorded):
            for line in body.lines:
                key = (m.account_id, line.instance_id)
                if key not in rows:
                    rows[key] = _instance_row(m, line, "PREPAID")
                rows[key].update(billing="PREPAID", ends_at=body.ends_at)
        if isinstance(body, e.PostpaidInstanceStarted):
            rows[m.account_id, body.instance_id] = _instance_row(m, body, "POSTPAID")
        if isinstance(body, e.InstanceRestored):
            rows[m.account_id, body.instance_id]["state"] = "RUNNING"
        if isinstance(body, e.InstanceIsolated | e.InstanceDestroyed):
            gone = isinstance(body, e.InstanceDestroyed)
            rows[m.account_id, body.instance_id]["state"] = "DESTROYED" if gone else "ISOLATED"
            rows[m.account_id, body.instance_id]["ends_at"] = None

    def _bin(self, m: EventMeta, body: e.Event) -> None:
        rows = self.tables["recycle_bin"]
        if isinstance(body, e.InstanceIsolated):
            rows[m.account_id, body.isolation_id] = {
                "account_id": m.account_id,
                "isolation_id": body.isolation_id,
                "instance_id": body.instance_id,
                "reason": body.reason,
                "state": "ISOLATED",
                "isolated_at": body.isolated_at,
                "restore_until": body.restore_until,
                "averted_by": None,
                "restored_at": None,
                "destroyed_at": None,
                "destroyed_because": None,
                "command_id": m.causation_id,
                "recorded_at": m.recorded_at,
            }
        if isinstance(body, e.InstanceOrderRecorded):
            for isolation_id in body.averted_isolation_ids:
                rows[m.account_id, isolation_id]["averted_by"] = body.order_id
        if isinstance(body, e.InstanceRestored):
            restored = {"state": "RESTORED", "restored_at": body.restored_at}
            rows[m.account_id, body.isolation_id].update(restored)
        if isinstance(body, e.InstanceDestroyed):
            destroyed = {"destroyed_at": m.occurred_at, "destroyed_because": body.reason}
            rows[m.account_id, body.isolation_id].update(destroyed, state="DESTROYED")

    def _refund(self, m: EventMeta, body: e.Event) -> None:
        rows = self.tables["refunds"]
        if isinstance(body, e.RefundIssued):
            rows[m.account_id, body.refund_id] = _refund_row(m, body)
        if isinstance(body, e.ReservationExchanged):
            for leg in body.returned:
                rows[m.account_id, leg.refund_id] = _leg_row(m, body, leg)
        if isinstance(body, e.RefundOverpaid):
            owed_back = (line.amount for line in body.postings if line.account == _OVERPAID)
            rows[m.account_id, body.refund_id]["overpaid"] += sum(owed_back)
        state = _REFUND_STATES.get(type(body))
        if state is None:
            return
        row = rows[m.account_id, body.refund_id]  # type: ignore[union-attr]  # all of these have it
        row["state"] = state
        if state in ("SETTLING", "SETTLED"):
            row["held_because"] = None
        if isinstance(body, e.BalanceCredited):
            row["expected_arrival_at"] = body.expected_arrival_at
        if isinstance(body, e.RefundSettled):
            row["settled_at"] = m.recorded_at
        if isinstance(body, e.RefundHeld):
            row["held_because"] = body.reason
        if isinstance(body, e.RefundCorrected):
            row["corrected_at"], row["corrected_because"] = m.recorded_at, body.reason
            row["quota_restored"] = body.quota_restored

    def _total(self, m: EventMeta, body: e.Event) -> None:
        rows = self.tables["annual_refund_totals"]
        if isinstance(body, e.RefundIssued):
            fact = _fact(m, body.refund_id, body.currency, body.amount)
            if body.cap is not None:
                fact["refund_usd"] = body.cap.refund_usd
                fact["cancelled_commitment_usd"] = body.cap.cancelled_commitment_usd
                fact["usd_rate"] = body.cap.rate
            rows[m.account_id, body.refund_id] = fact
        if isinstance(body, e.ReservationExchanged):
            for leg in body.returned:
                fact = _fact(m, leg.refund_id, body.currency, leg.value)
                rows[m.account_id, leg.refund_id] = {**fact, "counts": False}
        if isinstance(body, e.RefundCorrected):
            given_back = {"corrected_at": m.recorded_at, "cap_restored": body.cap_restored}
            rows[m.account_id, body.refund_id].update(given_back)

    def _reservation(self, m: EventMeta, body: e.Event) -> None:
        rows = self.tables["reservations"]
        if isinstance(body, e.ReservationPurchased):
            row = _reservation_row(m, body, body, body.owners)
            rows[m.account_id, body.reservation_id] = {**row, "currency": body.currency}
            held = rows[m.account_id, body.reservation_id]
            _give_back(held, body.returned_quantity or 0, "CANCELLED")
        if isinstance(body, e.ReservationExchanged):
            for back in body.returned:
                held = rows[m.account_id, back.reservation_id]
                _give_back(held, back.quantity, "EXCHANGED")
            for what, leg in zip(body.bought, body.purchased, strict=True):
                row = _reservation_row(m, what, leg, body.owners)
                row |= {"currency": body.currency, "bought_in_exchange": True}
                rows[m.account_id, what.reservation_id] = row
        if isinstance(body, e.ReservationCancelled):
            _give_back(rows[m.account_id, body.reservation_id], body.quantity, "CANCELLED")
        if isinstance(body, e.ReservationSwapped):
            rows[m.account_id, body.reservation_id]["sku"] = body.sku
        if isinstance(body, e.ReservationTransferred):
            rows[m.account_id, body.reservation_id]["owners"] = list(body.owners)
        if isinstance(body, e.ReservationExpired):
            rows[m.account_id, body.reservation_id]["state"] = "EXPIRED"

    def _refusal(self, m: EventMeta, body: e.Event) -> None:
        if not isinstance(body, e.CommandRefused):
            return
        for position, violation in enumerate(body.violations, start=1):
            key = (m.source_partition, m.log_sequence, position)
            self.tables["refusals"][key] = {
                "partition": m.source_partition,
                "log_sequence": m.log_sequence,
                "position": position,
                "account_id": m.account_id,
                "command_id": body.command_id,
                "command_type": body.command_type,
                "actor_id": m.actor.id,
                "actor_role": m.actor.role,
                **msgspec.to_builtins(violation),
                "recorded_at": m.recorded_at,
            }

    def _postings(self, m: EventMeta, body: e.Event) -> None:
        for line, posting in enumerate(getattr(body, "postings", ()), start=1):
            self.tables["postings"][m.source_partition, m.log_sequence, line] = {
                "partition": m.source_partition,
                "log_sequence": m.log_sequence,
                "line": line,
                "event_id": m.event_id,
                "event_name": type(body).__name__,
                "account_id": m.account_id,
                "transaction": posting.transaction,
                "ledger_account": posting.account,
                "side": posting.side,
                "amount": posting.amount,
                "currency": getattr(body, "currency", None),
                "recorded_at": m.recorded_at,
                "occurred_at": m.occurred_at,
            }
            book, _, fund = posting.account.partition(":")
            if book == "balance":
                signed = posting.amount if posting.side == "CREDIT" else -posting.amount
                self.tables["balances"][m.account_id,][fund] += signed

    def _outcome(self, m: EventMeta, body: e.Event) -> None:
        if isinstance(body, e.LedgerOpened):
            return
        quote = body if isinstance(body, _QUOTES) else None
        self.tables["outcomes"][m.source_partition, m.log_sequence] = {
            "partition": m.source_partition,
            "log_sequence": m.log_sequence,
            "account_id": m.account_id,
            "command_id": m.causation_id,
            "command_digest": m.command_digest,
            "event_index": m.index,
            "event_count": m.count,
            "event_id": m.event_id,
            "event_name": type(body).__name__,
            "sequence": m.sequence,
            "refused": isinstance(body, e.CommandRefused),
            "command_type": getattr(body, "command_type", None),
            "quote_id": quote.quote_id if quote else None,
            "quote_amount": quote.amount if quote else None,
            "quote_currency": quote.currency if quote else None,
            "recorded_at": m.recorded_at,
            "occurred_at": m.occurred_at,
            "correlation_id": m.correlation_id,
            "actor_id": m.actor.id,
            "actor_role": m.actor.role,
            "terms": m.terms,
            "edition": m.edition,
            "origin": m.origin,
            "origin_key": m.origin_key,
            "origins": m.origins,
            "approved_by": m.approved_by,
            "body": msgspec.to_builtins(body),
        }


def _instance_row(m: EventMeta, what: Any, billing: str) -> dict[str, Any]:
    return {
        "account_id": m.account_id,
        "instance_id": what.instance_id,
        "billing": billing,
        "product": what.product,
        "region": what.region,
        "state": "RUNNING",
        "ends_at": None,
        "recorded_at": m.recorded_at,
    }


def _reservation_row(m: EventMeta, what: Any, term: Any, owners: tuple[str, ...]) -> dict[str, Any]:
    payment = what.payment
    return {
        "account_id": m.account_id,
        "reservation_id": what.reservation_id,
        "product_type": what.product_type,
        "sku": what.sku,
        "region": what.region,
        "original_quantity": what.quantity,
        "quantity": what.quantity,
        "term_months": what.term_months,
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "total": what.total,
        "billing_plan": what.billing_plan,
        "payment_method": payment.method,
        "term_id": payment.term_id,
        "invoice_id": payment.invoice_id,
        "card_id": payment.card_id,
        "owners": list(owners),
        "state": "ACTIVE",
        "bought_in_exchange": False,
        "purchased_at": m.recorded_at,
    }


def _give_back(held: dict[str, Any], quantity: int, when_all: str) -> None:
    """The rest is calculated from the held quantity; the views take it from the event."""
    held["quantity"] -= quantity
    if not held["quantity"]:
        held["state"] = when_all


def _refund_row(m: EventMeta, body: e.RefundIssued) -> dict[str, Any]:
    return {
        "account_id": m.account_id,
        "refund_id": body.refund_id,
        "source_kind": body.source.kind,
        "source_id": body.source.id,
        "rule": body.rule,
        "currency": body.currency,
        "gross": body.gross,
        "fee": body.fee,
        "amount": body.amount,
        "cash": body.parts.cash,
        "gift": body.parts.gift,
        "original": body.parts.original,
        "state": "ISSUED",
        "auto_approved": body.auto_approved,
        "quota_spent": body.quota_spent,
        "ticket": body.ticket,
        "issued_at": m.recorded_at,
        "occurred_at": m.occurred_at,
        "expected_arrival_at": None,
        "settled_at": None,
        "held_because": None,
        "corrected_at": None,
        "corrected_because": None,
        "command_id": m.causation_id,
        "working": msgspec.to_builtins(body.working),
        "quota_restored": False,
        "overpaid": 0,
    }


def _leg_row(m: EventMeta, body: e.ReservationExchanged, leg: Any) -> dict[str, Any]:
    unset = ("rule", "cash", "gift", "auto_approved", "ticket", "expected_arrival_at", "settled_at")
    return {
        **dict.fromkeys((*unset, "held_because", "corrected_at", "corrected_because")),
        "account_id": m.account_id,
        "refund_id": leg.refund_id,
        "source_kind": "RESERVATION",
        "source_id": leg.reservation_id,
        "currency": body.currency,
        "gross": leg.value,
        "fee": 0,
        "amount": leg.value,
        "original": leg.value,
        "state": "ISSUED",
        "quota_spent": False,
        "issued_at": m.recorded_at,
        "occurred_at": m.occurred_at,
        "command_id": m.causation_id,
        "working": msgspec.to_builtins(body.working),
        "quota_restored": False,
        "overpaid": 0,
    }


def _fact(m: EventMeta, refund_id: str, currency: str, amount: int) -> dict[str, Any]:
    return {
        "account_id": m.account_id,
        "refund_id": refund_id,
        "recorded_at": m.recorded_at,
        "occurred_at": m.occurred_at,
        "counts": True,
        "currency": currency,
        "amount": amount,
        "refund_usd": None,
        "cancelled_commitment_usd": None,
        "usd_rate": None,
        "corrected_at": None,
        "cap_restored": False,
    }

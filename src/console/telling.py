"""Tells events in words: one sentence each, for people who follow what happens."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from console.telling_marketplace import marketplace_sentence
from console.telling_reservations import reservation_sentence
from console.wording import money, parts_told, quote_told, refused_because, when
from ledger.envelope import RecordedEvent
from ledger.events import (
    AccountOpened,
    AccountStandingChanged,
    BalanceCredited,
    CommandRefused,
    Event,
    InstanceDestroyed,
    InstanceEvent,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    MarketplaceEvent,
    PostpaidInstanceStarted,
    RefundIssued,
    RefundSettled,
    ReservationEvent,
)
from ledger.json_mapping import value_to_json
from ledger.money import format_minor
from ledger.shapes import Parts

_UNTOLD = frozenset({"postings", "working", "currency"})
_MAX_VALUE = 60


def told(recorded: RecordedEvent) -> str:
    """An event on one line: when, whose, which in their sequence, what."""
    meta = recorded.meta
    place = f"{meta.account_id} #{meta.sequence}"
    return f"{when(meta.recorded_at)}  {place:<20} {recorded.name:<24} {sentence(recorded.body)}"


def sentence(body: Event) -> str:
    """What happened, in one sentence."""
    match body:
        case CommandRefused():
            why = "; ".join(refused_because(each) for each in body.violations)
            return f"{body.command_type} {body.command_id} refused: {why}"
        case AccountOpened():
            return f"{body.account_type} account in {body.currency}"
        case AccountStandingChanged():
            return "now in arrears" if body.in_arrears else "no longer in arrears"
        case RefundIssued() | RefundSettled() | BalanceCredited():
            return _of_refund(body)
        case _ if isinstance(body, InstanceEvent):
            return _of_instance(body)
        case _ if isinstance(body, MarketplaceEvent):
            return marketplace_sentence(body)
        case _ if isinstance(body, ReservationEvent):
            return reservation_sentence(body)
        case _:
            return _plainly(body)


def _of_refund(body: RefundIssued | RefundSettled | BalanceCredited) -> str:
    match body:
        case RefundIssued():
            fee = f", fee {format_minor(body.fee, body.currency)}" if body.fee else ""
            cap = f", {money(body.cap.refund_usd, 'USD')} of the cap" if body.cap else ""
            return (
                f"{money(body.amount, body.currency)} for {body.source.id} by {body.rule}: "
                f"{parts_told(body.parts, body.currency)}{fee}{cap}"
            )
        case RefundSettled():
            return f"refund {body.refund_id[:8]} has arrived where it goes"
        case BalanceCredited():
            parts = parts_told(Parts(cash=body.cash, gift=body.gift), body.currency)
            arrival = body.expected_arrival_at
            shows = f", shows in the statement by {when(arrival)}" if arrival else ""
            return f"{money(body.cash + body.gift, body.currency)} to the balance: {parts}{shows}"


def _of_instance(body: InstanceEvent) -> str:
    match body:
        case InstanceOrderRecorded():
            instances = ", ".join(line.instance_id for line in body.lines)
            paid = sum(line.paid.cash + line.paid.gift for line in body.lines)
            return (
                f"{body.kind} order {body.order_id} ({body.channel}) for {instances}, "
                f"paid {money(paid, body.currency)}, until {when(body.ends_at)}"
            )
        case PostpaidInstanceStarted():
            return f"{body.instance_id} ({body.product}, {body.region}) runs, billed by use"
        case InstanceReturnQuoted():
            rule = f" by {body.rule}" if body.rule else ""
            parts = parts_told(body.parts, body.currency)
            answer = f"{body.instance_id}: {money(body.amount, body.currency)}{rule}"
            answer += f": {parts}" if parts else ""
            return quote_told(answer, body.expires_at, body.violations)
        case InstanceIsolated():
            return (
                f"{body.instance_id} in the recycle bin ({body.reason}), "
                f"restorable until {when(body.restore_until)}"
            )
        case InstanceRestored():
            by = f" by renewal {body.renewal_order_id}" if body.renewal_order_id else ""
            return f"{body.instance_id} runs again{by}"
        case InstanceDestroyed():
            return f"{body.instance_id} destroyed ({body.reason}): data purged, IP released"
        case _ as unreachable:
            assert_never(unreachable)


def _plainly(body: Struct) -> str:
    """Every field that is not long, as it stands."""
    pairs = value_to_json(body).items()
    short = ((name, str(value)) for name, value in pairs if name not in _UNTOLD)
    return ", ".join(f"{name} {text}" for name, text in short if len(text) <= _MAX_VALUE)

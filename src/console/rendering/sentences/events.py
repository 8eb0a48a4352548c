"""One sentence for each event, for people."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.marketplace import marketplace_sentence
from console.rendering.sentences.reservations import reservation_sentence
from console.rendering.sentences.settlement import refund_sentence, settlement_sentence
from console.rendering.sentences.words import money, parts_told, quote_told, refused_because, when
from ledger.values.instants import format_day
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    AccountEvent,
    AccountOpened,
    AccountStandingChanged,
    CardChanged,
    CommandRefused,
    CommitmentTermOpened,
    Event,
    InstanceDestroyed,
    InstanceDowngraded,
    InstanceDowngradeQuoted,
    InstanceEvent,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    InstanceUpgraded,
    LedgerOpened,
    LogEvent,
    MarketplaceEvent,
    OpeningPositionRecorded,
    PostpaidInstanceStarted,
    RefundEvent,
    ReservationEvent,
    SettlementEvent,
    SubjectErased,
)
from ledger.vocabulary.shapes import Parts


def told(recorded: RecordedEvent) -> str:
    """An event on one line: instant, account, sequence, what happened."""
    meta = recorded.meta
    place = f"{meta.account_id} #{meta.sequence}"
    return f"{when(meta.recorded_at)}  {place:<20} {recorded.name:<24} {sentence(recorded.body)}"


def sentence(body: Event) -> str:
    """What happened, in one sentence."""
    if isinstance(body, InstanceEvent):
        return _of_instance(body)
    if isinstance(body, MarketplaceEvent):
        return marketplace_sentence(body)
    if isinstance(body, ReservationEvent):
        return reservation_sentence(body)
    if isinstance(body, RefundEvent):
        return refund_sentence(body)
    if isinstance(body, SettlementEvent):
        return settlement_sentence(body)
    return _of_account(body)


def _of_account(body: AccountEvent | LogEvent) -> str:
    match body:
        case CommandRefused():
            why = "; ".join(refused_because(each) for each in body.violations)
            return f"{body.command_type} {body.command_id} refused: {why}"
        case AccountOpened():
            return f"{body.account_type} account in {body.currency}"
        case OpeningPositionRecorded():
            return _brought_along(body)
        case AccountStandingChanged():
            return "now in arrears" if body.in_arrears else "no longer in arrears"
        case CommitmentTermOpened():
            term = f"from {format_day(body.starts_on)} until {format_day(body.ends_on)}"
            return f"commitment {body.term_id}: {money(body.amount, body.currency)} {term}"
        case CardChanged():
            return f"the card on file is {body.card_id}"
        case SubjectErased():
            return f"texts sealed under keys 1 to {body.key_number} are erased"
        case LedgerOpened():
            return f"{body.partition_count} partitions, {'a sandbox' if body.sandbox else 'live'}"
        case _ as unreachable:
            assert_never(unreachable)


def _brought_along(body: OpeningPositionRecorded) -> str:
    balance = parts_told(Parts(cash=body.balance.cash, gift=body.balance.gift), body.currency)
    held = sum(credit.amount for credit in body.held_credits)
    used = sum(use.refund_usd for use in body.cap_uses)
    spent = (
        f"{body.full_refunds_used} full refunds, {body.ordinary_returns_used} ordinary returns, "
        f"{body.marketplace_refunds_issued} marketplace refunds"
    )
    return (
        f"as of {when(body.as_of)}: {balance}, {money(held, body.currency)} held as credit; "
        f"used {money(used, 'USD')} of the cap in {len(body.cap_uses)} refunds, {spent}"
    )


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
        case InstanceUpgraded():
            paid = body.paid.cash + body.paid.gift
            larger = f"{body.instance_id} is larger since {when(body.upgraded_at)}"
            return f"{larger}: upgrade {body.upgrade_id}, paid {money(paid, body.currency)}"
        case InstanceDowngraded():
            left = money(body.left.cash + body.left.gift, body.currency)
            return f"{body.instance_id} runs on smaller; {left} count as paid from now on"
        case InstanceReturnQuoted() | InstanceDowngradeQuoted():
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

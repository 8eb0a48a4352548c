"""One sentence for each event, for people."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.marketplace import marketplace_sentence
from console.rendering.sentences.reservations import reservation_sentence
from console.rendering.sentences.saying import ENGLISH, Saying
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


def sentence(body: Event, say: Saying = ENGLISH) -> str:
    """What happened, in one sentence."""
    if isinstance(body, InstanceEvent):
        return _of_instance(body, say)
    if isinstance(body, MarketplaceEvent):
        return marketplace_sentence(body, say)
    if isinstance(body, ReservationEvent):
        return reservation_sentence(body, say)
    if isinstance(body, RefundEvent):
        return refund_sentence(body, say)
    if isinstance(body, SettlementEvent):
        return settlement_sentence(body, say)
    return _of_account(body, say)


def _of_account(body: AccountEvent | LogEvent, say: Saying) -> str:
    match body:
        case CommandRefused():
            return say.said(
                "{command} {id} refused: {why}",
                command=say.word(body.command_type),
                id=body.command_id,
                why=say.clauses(refused_because(each, say) for each in body.violations),
            )
        case AccountOpened():
            return say.said(
                "{type} account in {currency}",
                type=say.word(body.account_type),
                currency=body.currency,
            )
        case OpeningPositionRecorded():
            return _brought_along(body, say)
        case AccountStandingChanged():
            return (
                say.said("now in arrears") if body.in_arrears else say.said("no longer in arrears")
            )
        case CommitmentTermOpened():
            return say.said(
                "commitment {term}: {amount} from {start} until {end}",
                term=body.term_id,
                amount=money(body.amount, body.currency),
                start=format_day(body.starts_on),
                end=format_day(body.ends_on),
            )
        case CardChanged():
            return say.said("the card on file is {card}", card=body.card_id)
        case SubjectErased():
            return say.said("texts sealed under keys 1 to {key} are erased", key=body.key_number)
        case LedgerOpened():
            kind = say.said("a sandbox") if body.sandbox else say.said("live")
            return say.said("{count} partitions, {kind}", count=body.partition_count, kind=kind)
        case _ as unreachable:
            assert_never(unreachable)


def _brought_along(body: OpeningPositionRecorded, say: Saying) -> str:
    balance = Parts(cash=body.balance.cash, gift=body.balance.gift)
    held = sum(credit.amount for credit in body.held_credits)
    used = sum(use.refund_usd for use in body.cap_uses)
    return say.said(
        "as of {as_of}: {balance}, {held} held as credit; used {used} of the cap in {count} "
        "refunds, {full} full refunds, {ordinary} ordinary returns, {marketplace} marketplace "
        "refunds",
        as_of=when(body.as_of),
        balance=parts_told(balance, body.currency, say),
        held=money(held, body.currency),
        used=money(used, "USD"),
        count=len(body.cap_uses),
        full=body.full_refunds_used,
        ordinary=body.ordinary_returns_used,
        marketplace=body.marketplace_refunds_issued,
    )


def _of_instance(body: InstanceEvent, say: Saying) -> str:
    match body:
        case InstanceOrderRecorded():
            return _ordered(body, say)
        case PostpaidInstanceStarted():
            return say.said(
                "{instance} ({product}, {region}) runs, billed by use",
                instance=body.instance_id,
                product=body.product,
                region=body.region,
            )
        case InstanceUpgraded():
            return say.said(
                "{instance} is larger since {since}: upgrade {upgrade}, paid {paid}",
                instance=body.instance_id,
                since=when(body.upgraded_at),
                upgrade=body.upgrade_id,
                paid=money(body.paid.cash + body.paid.gift, body.currency),
            )
        case InstanceDowngraded():
            return say.said(
                "{instance} runs on smaller; {left} count as paid from now on",
                instance=body.instance_id,
                left=money(body.left.cash + body.left.gift, body.currency),
            )
        case InstanceReturnQuoted() | InstanceDowngradeQuoted():
            return quote_told(_quoted(body, say), body.expires_at, body.violations, say)
        case InstanceIsolated():
            return say.said(
                "{instance} in the recycle bin ({reason}), restorable until {until}",
                instance=body.instance_id,
                reason=say.word(body.reason),
                until=when(body.restore_until),
            )
        case InstanceRestored():
            return _restored(body, say)
        case InstanceDestroyed():
            return say.said(
                "{instance} destroyed ({reason}): data purged, IP released",
                instance=body.instance_id,
                reason=say.word(body.reason),
            )
        case _ as unreachable:
            assert_never(unreachable)


def _ordered(body: InstanceOrderRecorded, say: Saying) -> str:
    paid = sum(line.paid.cash + line.paid.gift for line in body.lines)
    return say.said(
        "{kind} order {order} ({channel}) for {instances}, paid {paid}, until {end}",
        kind=say.word(body.kind),
        order=body.order_id,
        channel=say.word(body.channel),
        instances=say.listed(line.instance_id for line in body.lines),
        paid=money(paid, body.currency),
        end=when(body.ends_at),
    )


def _restored(body: InstanceRestored, say: Saying) -> str:
    if not body.renewal_order_id:
        return say.said("{instance} runs again", instance=body.instance_id)
    return say.said(
        "{instance} runs again by renewal {order}",
        instance=body.instance_id,
        order=body.renewal_order_id,
    )


def _quoted(body: InstanceReturnQuoted | InstanceDowngradeQuoted, say: Saying) -> str:
    amount = money(body.amount, body.currency)
    told = say.said("{instance}: {amount}", instance=body.instance_id, amount=amount)
    if body.rule:
        told = say.said("{quoted} by {rule}", quoted=told, rule=say.word(body.rule))
    if parts := parts_told(body.parts, body.currency, say):
        told = say.said("{quoted}: {parts}", quoted=told, parts=parts)
    return told

"""One sentence for each event about refunds and their settlement."""

from __future__ import annotations

from typing import assert_never

from console.rendering.sentences.saying import Saying
from console.rendering.sentences.words import money, parts_told, when
from ledger.values.money import format_minor
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    GatewayAnswerRecorded,
    HeldCreditConsumed,
    InvoiceCancelled,
    InvoiceIssued,
    OverageRerateRequested,
    RefundCorrected,
    RefundEvent,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    SettlementEvent,
    SupportTaskOpened,
)
from ledger.vocabulary.shapes import GatewayAnswer, Parts

_Document = (
    InvoiceCancelled
    | InvoiceIssued
    | OverageRerateRequested
    | GatewayAnswerRecorded
    | SupportTaskOpened
)
_Money = (
    CommitmentCredited | CreditMemoIssued | CreditHeld | HeldCreditConsumed | CardRefundRequested
)


def refund_sentence(body: RefundEvent, say: Saying) -> str:
    """How far the refund has come, in one sentence."""
    match body:
        case RefundIssued():
            return _issued(body, say)
        case RefundSettled():
            refund = _short(body.refund_id)
            if not body.attempt:
                return say.said("refund {refund} has arrived where it goes", refund=refund)
            return say.said(
                "refund {refund} has arrived where it goes by attempt {attempt}",
                refund=refund,
                attempt=body.attempt,
            )
        case RefundOverpaid():
            return say.said(
                "{amount} too much paid for refund {refund} by attempt {attempt} ({reference}): "
                "the customer owes it",
                amount=money(body.amount, body.currency),
                refund=_short(body.refund_id),
                attempt=body.attempt,
                reference=body.gateway_reference,
            )
        case RefundHeld():
            return say.said(
                "refund {refund} waits for support ({reason})",
                refund=_short(body.refund_id),
                reason=say.word(body.reason),
            )
        case RefundCorrected():
            told = say.said(
                "refund {refund} is reversed ({reason})",
                refund=_short(body.refund_id),
                reason=" ".join(body.reason.split()),
            )
            quota = [say.said("the quota is given back")] if body.quota_restored else []
            cap = [say.said("the cap is given back")] if body.cap_restored else []
            return say.listed((told, *quota, *cap))
        case _ as unreachable:
            assert_never(unreachable)


def _issued(body: RefundIssued, say: Saying) -> str:
    told = say.said(
        "{amount} for {source} by {rule}: {parts}",
        amount=money(body.amount, body.currency),
        source=body.source.id,
        rule=say.word(body.rule),
        parts=parts_told(body.parts, body.currency, say),
    )
    fee = say.said("fee {fee}", fee=format_minor(body.fee, body.currency)) if body.fee else ""
    cap = ""
    if body.cap:
        cap = say.said("{amount} of the cap", amount=money(body.cap.refund_usd, "USD"))
    return say.listed(each for each in (told, fee, cap) if each)


def settlement_sentence(body: SettlementEvent, say: Saying) -> str:
    """Where the money went, in one sentence."""
    if isinstance(body, _Document):
        return _of_document(body, say)
    if isinstance(body, BalanceCredited):
        return _credited(body, say)
    return _of_money(body, say)


def _of_money(body: _Money, say: Saying) -> str:
    amount = money(body.amount, body.currency)
    match body:
        case CommitmentCredited():
            return say.said("{amount} back to commitment {term}", amount=amount, term=body.term_id)
        case CreditMemoIssued():
            memo = _short(body.credit_memo_id)
            return say.said("{amount} by credit memo {memo}", amount=amount, memo=memo)
        case CreditHeld():
            return say.said(
                "{amount} held as credit {credit} for the next purchase",
                amount=amount,
                credit=_short(body.credit_id),
            )
        case HeldCreditConsumed():
            return say.said(
                "{amount} of credit {credit} pays for {reservation}",
                amount=amount,
                credit=_short(body.credit_id),
                reservation=body.reservation_id,
            )
        case CardRefundRequested():
            told = say.said(
                "{amount} asked of the gateway for {card}", amount=amount, card=body.card_id
            )
            if not body.attempt:
                return told
            return say.listed((told, say.said("attempt {attempt}", attempt=body.attempt)))
        case _ as unreachable:
            assert_never(unreachable)


def _credited(body: BalanceCredited, say: Saying) -> str:
    told = say.said(
        "{amount} to the balance: {parts}",
        amount=money(body.cash + body.gift, body.currency),
        parts=parts_told(Parts(cash=body.cash, gift=body.gift), body.currency, say),
    )
    if not body.expected_arrival_at:
        return told
    arrival = when(body.expected_arrival_at)
    return say.listed((told, say.said("shows in the statement by {arrival}", arrival=arrival)))


def _of_document(body: _Document, say: Saying) -> str:
    match body:
        case InvoiceCancelled():
            return say.said("invoice {invoice} is cancelled", invoice=_short(body.invoice_id))
        case InvoiceIssued():
            lines = (
                f"{say.word(line.kind.lower())} {format_minor(line.amount, body.currency)}"
                for line in body.lines
            )
            return say.said(
                "invoice {invoice}: {lines}, {total} in total",
                invoice=_short(body.invoice_id),
                lines=say.listed(lines),
                total=money(body.total, body.currency),
            )
        case OverageRerateRequested():
            return say.said(
                "overage of {term} to be re-rated from {since} on",
                term=body.term_id,
                since=when(body.purchased_at),
            )
        case GatewayAnswerRecorded():
            return _answered(body, say)
        case SupportTaskOpened():
            told = say.said("a task for support: {reason}", reason=_because(body.reason, say))
            if not body.attempt:
                return told
            return say.said("{told} (attempt {attempt})", told=told, attempt=body.attempt)
        case _ as unreachable:
            assert_never(unreachable)


def _answered(body: GatewayAnswerRecorded, say: Saying) -> str:
    values = {"attempt": body.attempt, "reference": body.gateway_reference}
    match body.answer:
        case GatewayAnswer.CONFIRMED:
            return say.said(
                "the gateway says that attempt {attempt} was paid ({reference}); nothing changes",
                **values,
            )
        case GatewayAnswer.FAILED:
            return say.said(
                "the gateway says that attempt {attempt} has failed ({reference}); nothing changes",
                **values,
            )
        case _ as unreachable:
            assert_never(unreachable)


def _because(reason: str, say: Saying) -> str:
    """Why a task was opened: a code of ours, or what somebody wrote."""
    return say.word(" ".join(reason.split()))


def _short(named: str) -> str:
    """A short form of an id for people: derived ids are shortened."""
    return named[:8] if len(named) == 36 else named

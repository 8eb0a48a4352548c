"""One sentence for each event about refunds and their settlement."""

from __future__ import annotations

from typing import assert_never

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
    BalanceCredited
    | CommitmentCredited
    | CreditMemoIssued
    | CreditHeld
    | HeldCreditConsumed
    | CardRefundRequested
)


def refund_sentence(body: RefundEvent) -> str:
    """How far the refund has come, in one sentence."""
    match body:
        case RefundIssued():
            fee = f", fee {format_minor(body.fee, body.currency)}" if body.fee else ""
            cap = f", {money(body.cap.refund_usd, 'USD')} of the cap" if body.cap else ""
            return (
                f"{money(body.amount, body.currency)} for {body.source.id} by {body.rule}: "
                f"{parts_told(body.parts, body.currency)}{fee}{cap}"
            )
        case RefundSettled():
            by = f" by attempt {body.attempt}" if body.attempt else ""
            return f"refund {_short(body.refund_id)} has arrived where it goes{by}"
        case RefundOverpaid():
            amount, attempt = money(body.amount, body.currency), body.attempt
            return (
                f"{amount} too much paid for refund {_short(body.refund_id)} by attempt {attempt} "
                f"({body.gateway_reference}): the customer owes it"
            )
        case RefundHeld():
            return f"refund {_short(body.refund_id)} waits for support ({body.reason})"
        case RefundCorrected():
            given_back = {"quota": body.quota_restored, "cap": body.cap_restored}
            also = "".join(f", the {name} is given back" for name, yes in given_back.items() if yes)
            reason = " ".join(body.reason.split())
            return f"refund {_short(body.refund_id)} is reversed ({reason}){also}"
        case _ as unreachable:
            assert_never(unreachable)


def settlement_sentence(body: SettlementEvent) -> str:
    """Where the money went, in one sentence."""
    if isinstance(body, _Document):
        return _of_document(body)
    return _of_money(body)


def _of_money(body: _Money) -> str:
    match body:
        case BalanceCredited():
            parts = parts_told(Parts(cash=body.cash, gift=body.gift), body.currency)
            arrival = body.expected_arrival_at
            shows = f", shows in the statement by {when(arrival)}" if arrival else ""
            return f"{money(body.cash + body.gift, body.currency)} to the balance: {parts}{shows}"
        case CommitmentCredited():
            return f"{money(body.amount, body.currency)} back to commitment {body.term_id}"
        case CreditMemoIssued():
            memo = _short(body.credit_memo_id)
            return f"{money(body.amount, body.currency)} by credit memo {memo}"
        case CreditHeld():
            amount = money(body.amount, body.currency)
            return f"{amount} held as credit {_short(body.credit_id)} for the next purchase"
        case HeldCreditConsumed():
            amount = money(body.amount, body.currency)
            return f"{amount} of credit {_short(body.credit_id)} pays for {body.reservation_id}"
        case CardRefundRequested():
            asked = f"{money(body.amount, body.currency)} asked of the gateway for {body.card_id}"
            return asked + (f", attempt {body.attempt}" if body.attempt else "")
        case _ as unreachable:
            assert_never(unreachable)


def _of_document(body: _Document) -> str:
    match body:
        case InvoiceCancelled():
            return f"invoice {_short(body.invoice_id)} is cancelled"
        case InvoiceIssued():
            amounts = ((line.kind, format_minor(line.amount, body.currency)) for line in body.lines)
            lines = ", ".join(f"{kind.lower()} {amount}" for kind, amount in amounts)
            total = money(body.total, body.currency)
            return f"invoice {_short(body.invoice_id)}: {lines}, {total} in total"
        case OverageRerateRequested():
            since = when(body.purchased_at)
            return f"overage of {body.term_id} to be re-rated from {since} on"
        case GatewayAnswerRecorded():
            what = {GatewayAnswer.CONFIRMED: "was paid", GatewayAnswer.FAILED: "has failed"}
            said = f"attempt {body.attempt} {what[body.answer]} ({body.gateway_reference})"
            return f"the gateway says that {said}; nothing changes"
        case SupportTaskOpened():
            about = f" (attempt {body.attempt})" if body.attempt else ""
            return f"a task for support: {' '.join(body.reason.split())}{about}"
        case _ as unreachable:
            assert_never(unreachable)


def _short(named: str) -> str:
    """A short form of an id for people: derived ids are shortened."""
    return named[:8] if len(named) == 36 else named

"""Compares the quote and the confirmed amount with the decision now: the differences by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ledger.calculations.figures import RefundFigures
from ledger.calculations.working import decimal_text
from ledger.policies.case import Case
from ledger.state.entities import Quote, QuoteKind
from ledger.values.money import Currency, Minor, format_micros, format_minor, parse_decimal12
from ledger.vocabulary.commands import (
    DowngradeInstance,
    ExchangeReservations,
    RefundReservation,
    ReturnInstance,
)
from ledger.vocabulary.shapes import NewReservation, Parts, Payment

Compared = Literal[
    "amount", "configuration", "confirmed_amount", "exchange", "fee", "instance", "parts",
    "purchases", "quantity", "reservation", "returns", "rule", "usd_rate", "values",
]  # fmt: skip
"""What is compared; each is two figures of the violation, `…_quoted` and `…_now`."""
Pairs = dict[Compared, tuple[str, str]]
"""By name: (the quoted or confirmed value, the present value)."""


def differing(case: Case) -> Pairs:
    """The values that differ from the quote; empty for a command that needs no quote."""
    command, quote = case.command, case.quote()
    match command:
        case ReturnInstance() | DowngradeInstance() | RefundReservation():
            assert case.figures is not None
            pairs = {} if quote is None else _refund(command, quote, case.figures, case)
            amount = case.figures.amount
        case ExchangeReservations():
            assert case.exchange is not None
            pairs = {} if quote is None else _exchange(command, quote, case)
            amount = case.exchange.payable
        case _:
            return {}
    if quote is not None or command.confirmed_amount is not None:
        confirmed, currency = command.confirmed_amount, case.account.currency
        text = "" if confirmed is None else format_minor(confirmed, currency)
        pairs["confirmed_amount"] = (text, format_minor(amount, currency))
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _refund(
    command: ReturnInstance | DowngradeInstance | RefundReservation,
    quote: Quote,
    figures: RefundFigures,
    case: Case,
) -> Pairs:
    currency = case.account.currency
    if isinstance(command, ReturnInstance):
        subject = _subject(quote, QuoteKind.INSTANCE_RETURN)
        pairs: Pairs = {"instance": (subject, command.instance_id)}
    elif isinstance(command, DowngradeInstance):
        subject = _subject(quote, QuoteKind.INSTANCE_DOWNGRADE)
        pairs = {"instance": (subject, command.instance_id)}
        pairs["configuration"] = (_configured(quote, currency), _configured(command, currency))
    else:
        subject = _subject(quote, QuoteKind.RESERVATION_REFUND)
        assert figures.returned is not None
        quantity = (str(quote.quantity), str(figures.returned.quantity))
        pairs = {"reservation": (subject, command.reservation_id), "quantity": quantity}
        if quote.usd_rate is None or _differ(quote.usd_rate, command.usd_rate):
            pairs["usd_rate"] = (quote.usd_rate or "", command.usd_rate)
    pairs["rule"] = (str(quote.rule or ""), str(figures.rule))
    pairs["fee"] = (format_minor(quote.fee, currency), format_minor(figures.fee, currency))
    pairs["amount"] = (format_minor(quote.amount, currency), format_minor(figures.amount, currency))
    pairs["parts"] = (_parts(quote.parts, currency), _parts(figures.parts, currency))
    return pairs


def _exchange(command: ExchangeReservations, quote: Quote, case: Case) -> Pairs:
    figures, currency = case.exchange, case.account.currency
    assert figures is not None
    if quote.kind is not QuoteKind.RESERVATION_EXCHANGE:
        return {"exchange": (str(quote.kind), str(QuoteKind.RESERVATION_EXCHANGE))}
    quoted = ((one.reservation_id, one.quantity) for one in quote.returns)
    now = ((leg.reservation_id, leg.quantity) for leg in figures.returned)
    values = (leg.value for leg in figures.returned)
    return {
        "returns": (_listed(quoted), _listed(now)),
        "values": (_money(quote.returned_values, currency), _money(values, currency)),
        "purchases": (
            _bought(quote.purchases, currency),
            _bought(command.purchases, currency),
        ),
        "amount": (format_minor(quote.amount, currency), format_minor(figures.payable, currency)),
    }


def _subject(quote: Quote, kind: QuoteKind) -> str:
    return str(quote.subject_id) if quote.kind is kind else str(quote.kind)


def _configured(priced: Quote | DowngradeInstance, currency: Currency) -> str:
    """Every component with its prices, and the discounts, as a readable text to compare."""
    components = (
        f"{one.name} at {format_micros(one.list_monthly, currency)} a month, by the hour "
        + ", ".join(
            f"{rung.from_hours} h: {format_micros(rung.hourly, currency)}" for rung in one.payg
        )
        for one in priced.components
    )
    discounts = (
        f"{decimal_text(parse_decimal12(one.factor))} from {one.from_months} months"
        for one in priced.duration_discounts
    )
    return "; ".join((*components, *discounts))


def _differ(rate: str, other: str) -> bool:
    return parse_decimal12(rate) != parse_decimal12(other)


def _parts(parts: Parts | None, currency: Currency) -> str:
    if parts is None:
        return ""
    funds = {"cash": parts.cash, "gift": parts.gift, "original": parts.original}
    return ", ".join(
        f"{fund} {format_minor(amount, currency)}"
        for fund, amount in funds.items()
        if amount is not None
    )


def _listed(returns: Iterable[tuple[str, int | None]]) -> str:
    return ", ".join(f"{reservation_id} × {quantity}" for reservation_id, quantity in returns)


def _money(amounts: Iterable[Minor], currency: Currency) -> str:
    return ", ".join(format_minor(amount, currency) for amount in amounts)


def _bought(purchases: Iterable[NewReservation], currency: Currency) -> str:
    return "; ".join(
        f"{one.reservation_id}: {one.quantity} × {one.product_type} {one.sku} in {one.region}, "
        f"{one.term_months} months, {format_minor(one.total, currency)} {one.billing_plan} by "
        f"{_paid_by(one.payment)}"
        for one in purchases
    )


def _paid_by(payment: Payment) -> str:
    named = {"term": payment.term_id, "invoice": payment.invoice_id, "card": payment.card_id}
    ids = (f"{noun} {named_id}" for noun, named_id in named.items() if named_id is not None)
    return ", ".join((payment.method, *ids))

"""A malformed command is told from one that a rule refuses, field by field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.values.instants import parse_day, parse_instant
from ledger.values.money import MAX_MICROS, MAX_MINOR
from ledger.vocabulary.commands import (
    COMMANDS,
    Command,
    ConfirmCardRefund,
    CorrectRefund,
    DeclineMarketplaceRefund,
    DowngradeInstance,
    ExchangeReservations,
    FailCardRefund,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceDowngrade,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
    RefundMarketplaceManually,
    ReturnInstance,
    TransferReservation,
)
from ledger.vocabulary.shapes import ByFund, OrderKind, PaymentMethod
from ledger.vocabulary.validation import body_problems, problems_of
from ledger.wire.avro.codec import Unreadable, UnreadableRecord, decode_command, encode_command
from tests.samples import sample, sample_command

WRONG: list[tuple[type[Command], str, Any]] = [
    (RecordInstanceOrder, "lines[0].paid.cash", -1),
    (RecordInstanceOrder, "lines[0].paid.voucher", -1),
    (RecordInstanceOrder, "lines[1].paid.gift", MAX_MINOR + 1),
    (RecordInstanceOrder, "lines[0].components[0].list_monthly", -1),
    (RecordInstanceOrder, "lines[0].components[0].list_monthly", MAX_MICROS + 1),
    (RecordInstanceOrder, "lines[0].components[0].payg[0].from_hours", 1),
    (RecordInstanceOrder, "lines[0].components[0].payg[1].from_hours", 0),
    (RecordInstanceOrder, "lines[0].components[0].payg", ()),
    (RecordInstanceOrder, "lines[0].components", ()),
    (RecordInstanceOrder, "lines[0].duration_discounts[0].factor", "0"),
    (RecordInstanceOrder, "lines[0].duration_discounts[0].factor", "1.01"),
    (RecordInstanceOrder, "lines[0].duration_discounts[0].factor", "0,88"),
    (RecordInstanceOrder, "lines[0].duration_discounts[0].from_months", 0),
    (RecordInstanceOrder, "lines[0].duration_discounts[1].from_months", 1),
    (RecordInstanceOrder, "lines[1].instance_id", "instance-1"),
    (RecordInstanceOrder, "lines[0].instance_id", ""),
    (RecordInstanceOrder, "lines[0].instance_id", "i" * 201),
    (RecordInstanceOrder, "lines[0].instance_id", "i\x00"),
    (RecordInstanceOrder, "lines", ()),
    (RecordInstanceOrder, "ends_at", parse_instant("2026-01-01T00:00:00Z")),
    (RecordInstanceOrder, "ends_at", parse_instant("9999-12-31T23:59:59Z") + 10**7),
    (RecordInstanceOrder, "starts_at", -1),
    (RecordInstanceOrder, "delivered_at", parse_instant("2027-01-01T00:00:00Z")),
    (RecordInstanceUpgrade, "upgraded_at", -1),
    (RecordInstanceUpgrade, "upgrade_id", ""),
    (RecordInstanceUpgrade, "paid.cash", -1),
    (RecordInstanceUpgrade, "components", ()),
    (RecordInstanceUpgrade, "components[0].payg[0].from_hours", 1),
    (RecordInstanceUpgrade, "duration_discounts[1].from_months", 1),
    (QuoteInstanceDowngrade, "components", ()),
    (QuoteInstanceDowngrade, "duration_discounts[0].factor", "1.01"),
    (DowngradeInstance, "components[1].list_monthly", -1),
    (DowngradeInstance, "duration_discounts[1].from_months", 1),
    (DowngradeInstance, "confirmed_amount", -1),
    (DowngradeInstance, "currency", "XXX"),
    (OpenAccount, "currency", "XXX"),
    (OpenCommitmentTerm, "ends_on", parse_day("2026-01-01")),
    (OpenCommitmentTerm, "starts_on", -1),
    (RecordReservationPurchase, "quantity", 0),
    (RecordReservationPurchase, "term_months", 24),
    (RecordReservationPurchase, "total", 0),
    (RecordReservationPurchase, "payment.term_id", None),
    (RecordReservationPurchase, "owners", ()),
    (RecordReservationPurchase, "returned_quantity", -1),
    (RecordReservationPurchase, "returned_quantity", 5),
    (RecordReservationPurchase, "refunded", -1),
    (RecordReservationPurchase, "refunded", 10_008),
    (RecordMarketplacePurchase, "refunded.cash", 10_001),
    (RecordMarketplacePurchase, "refunded.gift", 10_002),
    (RecordMarketplacePurchase, "refunded.gift", -1),
    (RecordOpeningPosition, "as_of", -1),
    (RecordOpeningPosition, "full_refunds_used", -1),
    (RecordOpeningPosition, "ordinary_returns_used", 10**9 + 1),
    (RecordOpeningPosition, "marketplace_refunds_issued", -1),
    (RecordOpeningPosition, "balance.cash", -1),
    (RecordOpeningPosition, "balance.gift", 10**14 + 1),
    (RecordOpeningPosition, "cap_uses[1].refund_usd", -1),
    (RecordOpeningPosition, "cap_uses[0].cancelled_commitment_usd", 10**14 + 1),
    (RecordOpeningPosition, "cap_uses[0].refunded_at", -1),
    (RecordOpeningPosition, "cap_uses[1].reference", "reference-1"),
    (RecordOpeningPosition, "cap_uses[1].reference", ""),
    (RecordOpeningPosition, "held_credits[1].credit_id", "credit-1"),
    (RecordOpeningPosition, "held_credits[1].amount", 0),
    (RecordOpeningPosition, "currency", "XXY"),
    (RecordReservationPurchase, "owners[1]", ""),
    (RecordReservationPurchase, "starts_on", parse_day("9990-01-01")),
    (QuoteReservationRefund, "usd_rate", "0"),
    (QuoteReservationRefund, "usd_rate", "100.1"),
    (QuoteReservationRefund, "usd_rate", "0.1234567890123"),
    (QuoteReservationRefund, "usd_rate", "1e1"),
    (QuoteReservationExchange, "returns", ()),
    (QuoteReservationExchange, "purchases[1].reservation_id", "reservation-1"),
    (QuoteReservationExchange, "returns[0].quantity", 0),
    (TransferReservation, "owners", ("o",) * 1001),
    (ReturnInstance, "confirmed_amount", -1),
    (RefundMarketplaceManually, "amount", -1),
    (RefundMarketplaceManually, "ticket", " \u2028"),
    (CorrectRefund, "reason", ""),
    (CorrectRefund, "reason", "r" * 2001),
    (DeclineMarketplaceRefund, "note", "n" * 2001),
    (DeclineMarketplaceRefund, "note", "a\x00b"),
    (QuoteReservationRefund, "usd_rate", "-1"),
    (QuoteReservationRefund, "quantity", 0),
    (ConfirmCardRefund, "attempt", 0),
    (ConfirmCardRefund, "attempt", 10**9 + 1),
    (FailCardRefund, "attempt", -1),
]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_sample_is_well_formed(name: str) -> None:
    assert problems_of(sample_command(COMMANDS[name])) == ()


@pytest.mark.parametrize(("kind", "path", "value"), WRONG)
def test_it_is_malformed(kind: type[Command], path: str, value: Any) -> None:
    problems = body_problems(changed(sample(kind), path, value))
    assert [problem.path for problem in problems] == [path]


def test_money_without_its_currency_is_malformed() -> None:
    body = changed(sample(ReturnInstance), "currency", None)
    assert [problem.path for problem in body_problems(body)] == ["currency"]


def test_without_a_quantity_that_went_back_nothing_was_refunded() -> None:
    body = changed(sample(RecordReservationPurchase), "returned_quantity", None)
    assert [problem.path for problem in body_problems(body)] == ["refunded"]
    assert body_problems(changed(body, "refunded", 0)) == ()


def test_a_renewal_has_no_delivery() -> None:
    order = changed(sample(RecordInstanceOrder), "kind", OrderKind.RENEWAL)
    assert [problem.path for problem in body_problems(order)] == ["delivered_at"]
    assert body_problems(changed(order, "delivered_at", None)) == ()


@pytest.mark.parametrize(
    ("method", "missing"),
    [("COMMITMENT", "term_id"), ("CARD", "card_id"), ("OVERAGE", None), ("INVOICE", None)],
)
def test_a_payment_names_what_its_method_calls_for(method: str, missing: str | None) -> None:
    body = changed(sample(RecordReservationPurchase), "payment.method", PaymentMethod(method))
    for name in ("term_id", "invoice_id", "card_id"):
        body = changed(body, f"payment.{name}", None)
    expected = [f"payment.{missing}"] if missing else []
    assert [problem.path for problem in body_problems(body)] == expected


RULES_JUDGE: list[tuple[type[Command], str, Any]] = [
    (RecordMarketplacePurchase, "purchased_at", 0),
    (RecordMarketplacePurchase, "refunded", ByFund(cash=10_000, gift=10_001)),
    (RecordOpeningPosition, "cap_uses", ()),
    (RecordOpeningPosition, "held_credits", ()),
    (RecordOpeningPosition, "full_refunds_used", 10**9),
    (RecordOpeningPosition, "cap_uses[0].refund_usd", 10**14),
    (RecordReservationPurchase, "returned_quantity", 4),
    (RecordReservationPurchase, "refunded", 10_007),
    (RefundMarketplaceManually, "amount", 0),
    (QuoteReservationExchange, "returns[1].reservation_id", "reservation-1"),
    (ExchangeReservations, "confirmed_amount", -5),
    (QuoteReservationRefund, "quantity", 999),
    (OpenAccount, "us_government", True),
    (RecordInstanceOrder, "lines[0].instance_id", "实例 1"),
    (CorrectRefund, "reason", "r" * 2000),
    (DeclineMarketplaceRefund, "note", "used for a month,\nno fault found"),
]


@pytest.mark.parametrize(("kind", "path", "value"), RULES_JUDGE)
def test_it_is_left_to_the_rules(kind: type[Command], path: str, value: Any) -> None:
    assert body_problems(changed(sample(kind), path, value)) == ()


def test_an_order_paid_with_vouchers_alone_is_well_formed() -> None:
    body = sample(RecordInstanceOrder)
    for name in ("cash", "gift"):
        body = changed(body, f"lines[0].paid.{name}", 0)
    assert body_problems(body) == ()


def test_the_envelope_is_judged_too() -> None:
    command = sample_command(OpenAccount)
    command = changed(changed(command, "meta.command_id", ""), "meta.actor.id", "\n")
    assert [problem.path for problem in problems_of(command)] == [
        "meta.command_id",
        "meta.actor.id",
    ]


def test_the_codec_refuses_what_is_out_of_range() -> None:
    command = changed(sample_command(RecordInstanceOrder), "body.lines[1].paid.cash", -7)
    with pytest.raises(UnreadableRecord) as caught:
        decode_command(b"account-1", encode_command(command))
    assert caught.value.reason is Unreadable.OUT_OF_RANGE
    assert caught.value.detail.startswith("RecordInstanceOrder: lines[1].paid.cash is -7, expected")


def changed(value: Any, path: str, new: Any) -> Any:
    """The value with one field, deep inside, set to something else."""
    head, _, rest = path.partition(".")
    name, _, index = head.partition("[")
    part = getattr(value, name)
    if not index:
        part = changed(part, rest, new) if rest else new
    else:
        place = int(index.rstrip("]"))
        inner = changed(part[place], rest, new) if rest else new
        part = (*part[:place], inner, *part[place + 1 :])
    return msgspec.structs.replace(value, **{name: part})

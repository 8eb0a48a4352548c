"""JSON in and out: decimal strings, RFC 3339, and a path for everything that does not fit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ledger.vocabulary.commands import (
    COMMANDS,
    Command,
    ExchangeReservations,
    OpenAccount,
    QuoteReservationRefund,
    RecordInstanceOrder,
    RecordOpeningPosition,
    RecordReservationPurchase,
    ReturnInstance,
)
from ledger.vocabulary.events import EVENTS, HeldCreditConsumed, RefundIssued
from ledger.vocabulary.fields import fields_of
from ledger.vocabulary.shapes import Funds, Parts
from ledger.wire.json.mapping import (
    FieldProblem,
    command_body_from_json,
    event_to_json,
    read_command_body,
    value_to_json,
)
from ledger.wire.json.reading import MOST_PROBLEMS, has_money
from tests.samples import sample, sample_event


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_survives_json(name: str) -> None:
    body = sample(COMMANDS[name])
    text = json.dumps(value_to_json(body))
    assert command_body_from_json(COMMANDS[name], json.loads(text), "CNY") == body


@pytest.mark.parametrize("name", [*COMMANDS, *EVENTS])
def test_whatever_holds_money_says_its_currency(name: str) -> None:
    shape: Any = (COMMANDS | EVENTS)[name]
    if has_money(shape):
        assert "currency" in {field.name for field in fields_of(shape)}


def test_an_event_is_printed_with_exactly_these_keys() -> None:
    event = sample_event(RefundIssued)
    printed = event_to_json(event)
    assert list(printed) == ["at", "event", "id", "account", "sequence", "causation_id", "body"]
    assert printed["at"] == "2026-01-14T08:00:00Z"
    assert printed["event"] == "RefundIssued"


def test_an_event_body_is_written_in_decimals() -> None:
    issued = sample_event(RefundIssued).body
    assert isinstance(issued, RefundIssued)
    body = value_to_json(
        msgspec.structs.replace(
            issued, amount=141392, parts=Parts(cash=141392, gift=0), auto_approved=None
        )
    )
    assert body["amount"] == "1413.92"
    assert body["parts"] == {"cash": "1413.92", "gift": "0.00"}
    assert "auto_approved" not in body
    assert body["cap"]["refund_usd"] == "100.00"


def test_amounts_are_written_in_their_currency() -> None:
    funds = Funds(cash=1500, gift=1)
    assert value_to_json(funds, "JPY") == {"cash": "1500", "gift": "1", "voucher": "0"}
    assert value_to_json(funds, "KWD") == {"cash": "1.500", "gift": "0.001", "voucher": "0.000"}
    debt = HeldCreditConsumed(
        credit_id="x-1", reservation_id="r-1", amount=-5, postings=(), currency="USD"
    )
    assert value_to_json(debt)["amount"] == "-0.05"


def test_an_amount_may_say_its_currency() -> None:
    raw = {
        "instance_id": "i-1",
        "acknowledged": True,
        "confirmed_amount": {"amount": "5.5", "currency": "CNY"},
    }
    expected = ReturnInstance(
        instance_id="i-1", acknowledged=True, confirmed_amount=550, currency="CNY"
    )
    assert command_body_from_json(ReturnInstance, raw, None) == expected
    assert command_body_from_json(ReturnInstance, raw, "CNY") == expected


def test_without_an_amount_no_currency_is_filled_in() -> None:
    raw = {"instance_id": "i-1", "acknowledged": True, "quote_id": None}
    assert command_body_from_json(ReturnInstance, raw, "CNY") == ReturnInstance(
        instance_id="i-1", acknowledged=True
    )


def test_opening_an_account_again_in_another_currency_is_left_to_the_rules() -> None:
    raw = {"account_type": "ONLINE", "us_government": False, "currency": "USD"}
    assert command_body_from_json(OpenAccount, raw, "CNY").currency == "USD"  # type: ignore[union-attr]


ORDER = value_to_json(sample(RecordInstanceOrder))
RETURN = {"instance_id": "i-1", "acknowledged": True, "confirmed_amount": "5.50"}
PURCHASE = value_to_json(sample(RecordReservationPurchase))
RATE = {"reservation_id": "r-1", "usd_rate": "1"}
POSITION = value_to_json(sample(RecordOpeningPosition))
USE = POSITION["cap_uses"][0]
CENTS = 'US dollars as a decimal string such as "1413.92"'
BAD: list[tuple[type[Command], Any, str, str, str]] = [
    (ReturnInstance, [], "", "[]", "an object with the fields of ReturnInstance"),
    (ReturnInstance, {**RETURN, "instance": 1}, "instance", "unknown field", "'instance_id'?"),
    (ReturnInstance, {**RETURN, "instance_id": 7}, "instance_id", "7", "a string"),
    (ReturnInstance, {**RETURN, "instance_id": None}, "instance_id", "nothing", "a string"),
    (ReturnInstance, {**RETURN, "acknowledged": 1}, "acknowledged", "1", "true or false"),
    (ReturnInstance, {**RETURN, "confirmed_amount": 5.5}, "confirmed_amount", "5.5", "string"),
    (ReturnInstance, {**RETURN, "confirmed_amount": "5.505"}, "confirmed_amount", "", "2 decimals"),
    (ReturnInstance, {**RETURN, "confirmed_amount": "1e3"}, "confirmed_amount", "", "1413.92"),
    (
        ReturnInstance,
        {**RETURN, "confirmed_amount": {"amount": "1", "currency": "USD"}},
        "confirmed_amount.currency",
        '"USD"',
        "'CNY', the account's currency",
    ),
    (
        ReturnInstance,
        {**RETURN, "confirmed_amount": {"amount": "1", "currency": ["CNY"]}},
        "confirmed_amount.currency",
        '["CNY"]',
        "an ISO 4217 currency code",
    ),
    (
        ReturnInstance,
        {**RETURN, "confirmed_amount": {"amount": {"amount": "1"}, "currency": "CNY"}},
        "confirmed_amount.amount",
        "",
        "a decimal string",
    ),
    (
        ReturnInstance,
        {**RETURN, "confirmed_amount": {"value": "1"}},
        "confirmed_amount",
        "",
        'exactly {"amount": ..., "currency": ...}',
    ),
    (ReturnInstance, {**RETURN, "currency": "USD"}, "currency", '"USD"', "'CNY'"),
    (RecordInstanceOrder, {**ORDER, "kind": "NEWER"}, "kind", '"NEWER"', "did you mean 'NEW'"),
    (RecordInstanceOrder, {**ORDER, "starts_at": "2026-01-05"}, "starts_at", "", "an instant"),
    (RecordInstanceOrder, {**ORDER, "lines": {}}, "lines", "{}", "a list"),
    (RecordInstanceOrder, {**ORDER, "lines": [1]}, "lines[0]", "1", "fields of OrderLine"),
    (RecordReservationPurchase, {**PURCHASE, "quantity": True}, "quantity", "true", "whole"),
    (RecordReservationPurchase, {**PURCHASE, "quantity": 1.0}, "quantity", "1.0", "whole"),
    (RecordReservationPurchase, {**PURCHASE, "starts_on": "5 May"}, "starts_on", "", "a day"),
    (RecordReservationPurchase, {**PURCHASE, "owners": "o"}, "owners", '"o"', "a list"),
    (RecordReservationPurchase, {**PURCHASE, "owners": [None]}, "owners[0]", "null", "a string"),
    (QuoteReservationRefund, {**RATE, "usd_rate": 1}, "usd_rate", "1", "a decimal string"),
    *(
        (
            RecordOpeningPosition,
            {**POSITION, "cap_uses": [USE | {"refund_usd": value}]},
            "cap_uses[0].refund_usd",
            found,
            CENTS,
        )
        for value, found in ((1, "1"), ("1.005", '"1.005"'), (None, "nothing"))
    ),
    (RecordOpeningPosition, {**POSITION, "balance": None}, "balance", "nothing", "of ByFund"),
]


@pytest.mark.parametrize(("kind", "raw", "path", "found", "expected"), BAD)
def test_a_field_that_does_not_fit_is_told(
    kind: type[Command], raw: Any, path: str, found: str, expected: str
) -> None:
    _, problems = read_command_body(kind, raw, "CNY")
    (problem,) = problems
    assert problem.path == path
    assert found in problem.value
    assert expected in problem.expected


def test_a_bare_amount_needs_a_known_currency() -> None:
    with pytest.raises(FieldProblem, match="the account's currency to be known"):
        command_body_from_json(ReturnInstance, RETURN, None)


def test_us_dollars_have_two_decimals_in_whatever_currency_the_account_is() -> None:
    raw = {**POSITION, "balance": {"cash": "100", "gift": "0"}, "currency": "JPY"}
    raw |= {"cap_uses": [USE | {"refund_usd": "1.50"}], "held_credits": []}
    body = command_body_from_json(RecordOpeningPosition, raw, "JPY")
    assert isinstance(body, RecordOpeningPosition)
    assert (body.cap_uses[0].refund_usd, body.balance.cash) == (150, 100)


def test_all_problems_of_a_body_are_told_at_once() -> None:
    _, problems = read_command_body(ReturnInstance, {"quote": "q", "acknowledged": "yes"}, "CNY")
    assert [problem.path for problem in problems] == ["quote", "instance_id", "acknowledged"]


@pytest.mark.parametrize(
    "body",
    [
        {f"field_{number}": 1 for number in range(20_000)},
        {"returns": [], "purchases": [{"a": 1}] * 20_000},
        {"returns": [1] * 20_000, "purchases": []},
    ],
)
def test_of_very_many_problems_only_some_are_told(body: dict[str, Any]) -> None:
    """A megabyte would otherwise be answered by more than a hundred."""
    found, problems = read_command_body(ExchangeReservations, body, "CNY")
    assert found is None
    assert len(problems) == MOST_PROBLEMS


def test_one_command_has_one_currency() -> None:
    line = ORDER["lines"][0]
    paid = {"cash": {"amount": "1", "currency": "CNY"}, "gift": {"amount": "1", "currency": "EUR"}}
    raw = {**ORDER, "lines": [{**line, "paid": paid}]}
    del raw["currency"]
    _, problems = read_command_body(RecordInstanceOrder, raw, None)
    assert [problem.path for problem in problems] == ["lines[0].paid.gift.currency"]


def test_a_value_that_is_nested_too_deep_to_be_told_is_a_problem_too() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    _, problems = read_command_body(ReturnInstance, {"instance_id": deep}, "CNY")
    assert problems[0].value == "a value that is nested too deep"

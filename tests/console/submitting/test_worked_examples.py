"""The worked examples of the rules, each a file of commands, give the amounts they are known by."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.golden_files import EXAMPLES
from tests.console.virtual_terminal import Terminal


def bodies(terminal: Terminal, name: str, event: str) -> list[dict[str, Any]]:
    """The bodies of the events of that name that the example leads to."""
    ran = terminal.run("simulate", EXAMPLES / f"{name}.jsonl")
    assert (ran.code, ran.err) == (0, "")
    return [each["body"] for each in ran.objects if each["event"] == event]


def last_refund(terminal: Terminal, name: str) -> dict[str, Any]:
    return bodies(terminal, name, "RefundIssued")[-1]


def result_of(body: dict[str, Any], step: str) -> str:
    """What a step of the working gave."""
    (result,) = (each["result"] for each in body["working"] if each["step"] == step)
    return str(result)


def test_1_all_that_was_paid_comes_back_within_five_days(terminal: Terminal) -> None:
    """152.00 × 12 × 0.83 = 1,513.92; less the voucher of 100.00: 1,413.92."""
    refund = last_refund(terminal, "worked-1-five-days")
    assert (refund["rule"], refund["amount"]) == ("FIVE_DAYS_NO_REASON", "1413.92")


def test_2_with_the_full_refund_spent_the_hours_used_are_paid_for(terminal: Terminal) -> None:
    """51.00 × 12 × 0.83 − 100.00 = 407.96; 48 × 0.42 = 20.16; 407.96 − 20.16 = 387.80."""
    refund = last_refund(terminal, "worked-2-ordinary-return")
    assert (refund["rule"], refund["amount"]) == ("ORDINARY_RETURN", "387.80")
    assert result_of(refund, "value_used") == "20.16"


def test_3_each_fund_comes_back_as_it_was_paid(terminal: Terminal) -> None:
    refund = last_refund(terminal, "worked-3-each-fund")
    assert refund["parts"] == {"cash": "200.00", "gift": "207.96"}
    (credited,) = bodies(terminal, "worked-3-each-fund", "BalanceCredited")
    assert (credited["cash"], credited["gift"]) == ("200.00", "207.96")


def test_4_the_days_left_of_a_month_are_paid_back(terminal: Terminal) -> None:
    """2.66 × 21 / 31 = 1.8019… → 1.80."""
    refund = last_refund(terminal, "worked-4-days-of-a-month")
    assert (refund["amount"], result_of(refund, "days_remaining")) == ("1.80", "21 of 31 days")


def test_5_the_cancelled_commitment_stands_beside_the_refund(terminal: Terminal) -> None:
    """100.00 × 15 / 30 = 50.00; with 36 − 13 = 23 instalments of 100.00: 2,350.00."""
    refund = last_refund(terminal, "worked-5-cancelled-commitment")
    assert refund["amount"] == "50.00"
    assert refund["cap"] == {
        "refund_usd": "50.00",
        "cancelled_commitment_usd": "2350.00",
        "rate": "1",
    }


def test_6_an_exchange_nets_to_what_is_payable(terminal: Terminal) -> None:
    """19,800.00 × 73 / 365 = 3,960.00; 19,800.00 − 3,960.00 = 15,840.00."""
    (exchanged,) = bodies(terminal, "worked-6-exchange", "ReservationExchanged")
    figures = (exchanged["returned_total"], exchanged["purchased_total"], exchanged["payable"])
    assert figures == ("3960.00", "19800.00", "15840.00")
    assert {posting["transaction"] for posting in exchanged["postings"]} == {1, 2}


def test_7_on_the_last_day_one_day_remains(terminal: Terminal) -> None:
    """10 July 2024 for a year ends on 10 July 2025; 3,650.00 / 365 = 10.00."""
    refund = last_refund(terminal, "worked-7-last-day")
    assert (result_of(refund, "days_remaining"), refund["amount"]) == ("1 of 365 days", "10.00")


def test_11_an_upgrade_goes_back_by_days(terminal: Terminal) -> None:
    """12 × 0.42 = 5.04; 100.00 × 362 / 365 = 99.178…; 407.96 − 5.04 + 99.178… = 502.10."""
    refund = last_refund(terminal, "worked-11-upgrade")
    assert (refund["rule"], refund["amount"]) == ("ORDINARY_RETURN", "502.10")
    assert result_of(refund, "own_use") == "5.04"


def test_12_a_downgrade_buys_the_time_left_of_what_a_return_gives(terminal: Terminal) -> None:
    """102.00 × 12 × 0.83 − 100.00 = 915.92; 915.92 − 204.00 − 60.00 × 10 × 0.88 = 183.92."""
    refund = last_refund(terminal, "worked-12-downgrade")
    assert (refund["rule"], refund["amount"]) == ("DOWNGRADE", "183.92")
    assert (result_of(refund, "value_used"), result_of(refund, "new_price")) == ("204.00", "528.00")
    (smaller,) = bodies(terminal, "worked-12-downgrade", "InstanceDowngraded")
    assert smaller["left"] == {"cash": "528.00", "gift": "0.00", "voucher": "0.00"}


def test_13_three_parts_of_a_hundred(terminal: Terminal) -> None:
    """Each alone in 2026: 3 × 33.33 = 99.99. Together from 2027 on: 66.67 − 33.33 = 33.34."""
    amounts = [
        body["amount"] for body in bodies(terminal, "worked-13-parts-of-a-whole", "RefundIssued")
    ]
    assert amounts == ["33.33", "33.33", "33.33", "33.33", "33.34", "33.33"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("10-marketplace-approved", "ACCESS_REVOKED"),
        ("12-marketplace-withdrawn", "REVIEW_PERIOD_OVER"),
        ("13-marketplace-tickets", "EXCEEDS_PAID"),
        ("14-marketplace-invoices", "INVOICE_MUST_BE_WITHDRAWN"),
        ("14-marketplace-invoices", "INVOICE_MUST_BE_RETURNED"),
        ("15-marketplace-kinds", "NOT_REFUNDABLE"),
        ("16-marketplace-quota", "RETURN_QUOTA_EXHAUSTED"),
        ("21-reservation-cap", "REFUND_CAP_EXCEEDED"),
        ("22-reservation-monthly", "QUOTE_CHANGED"),
        ("25-reservation-swap-and-transfer", "SWAP_NOT_SUPPORTED"),
        ("26-reservation-expiry", "ALREADY_EXPIRED"),
        ("40-conversion-and-upgrades", "WRONG_STATE"),
        ("41-downgrades", "QUOTE_CHANGED"),
        ("27-reservation-us-government", "ACCOUNT_TYPE_NOT_ELIGIBLE"),
    ],
)
def test_an_example_is_refused_by_the_name_it_promises(
    terminal: Terminal, name: str, code: str
) -> None:
    refused = bodies(terminal, name, "CommandRefused")
    assert code in {each["code"] for body in refused for each in body["violations"]}


@pytest.mark.parametrize(
    "code", ["NEW_TOTAL_TOO_LOW", "DIFFERENT_TYPE", "NOT_EXCHANGEABLE", "INVALID_QUANTITY"]
)
def test_a_quoted_exchange_lists_what_it_would_be_refused_for(
    terminal: Terminal, code: str
) -> None:
    quotes = bodies(terminal, "24-reservation-exchange", "ReservationExchangeQuoted")
    assert [code] in [[each["code"] for each in quote["violations"]] for quote in quotes]


def test_tickets_share_cash_and_gift_so_that_no_fund_is_overpaid(terminal: Terminal) -> None:
    """100.01 × 100/300 = 33.34 cash; all 300.00 × 100/300 − 33.34 = 66.66; gift the remainder."""
    by_ticket = bodies(terminal, "13-marketplace-tickets", "RefundIssued")[:2]
    assert [each["parts"] for each in by_ticket] == [
        {"cash": "33.34", "gift": "66.67"},
        {"cash": "66.66", "gift": "133.33"},
    ]


def test_what_nobody_answers_is_approved_at_the_end_of_the_third_day(terminal: Terminal) -> None:
    """Asked for on 14 July in Shanghai; 15, 16, 17; 18 July 00:00 there is 17 July 16:00 UTC."""
    ran = terminal.run("simulate", EXAMPLES / "11-marketplace-timer.jsonl")
    (first, _) = (event for event in ran.objects if event["event"] == "RefundIssued")
    assert (first["at"], first["body"]["auto_approved"]) == ("2027-07-17T16:00:00Z", True)

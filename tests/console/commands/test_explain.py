"""`explain` tells an amount step by step and a refusal rule by rule, from what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console.golden_files import EXAMPLES, golden_of
from tests.console.virtual_terminal import Terminal

ORDINARY = EXAMPLES / "02-ordinary-return.jsonl"
REFUSALS = EXAMPLES / "09-refusals.jsonl"
REFUND = "06829b46-a0d0-813f-84b7-e1afc6b34627"


def told(terminal: Terminal, wanted: str, file: Path, *words: object) -> dict[str, Any]:
    """The explanation as an object."""
    ran = terminal.run("explain", wanted, "--file", file, "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    (found,) = ran.objects
    return dict(found)


def test_an_amount_is_told_from_the_question_to_the_postings(terminal: Terminal) -> None:
    found = told(terminal, REFUND, ORDINARY)

    assert found["verdict"] == "accepted"
    assert found["asked"]["command"] == "ReturnInstance"
    assert found["asked"]["actor"] == {"id": "u-1", "role": "OWNER"}
    assert found["asked"]["body"]["confirmed_amount"] == "613.57"
    assert found["asked"]["stood_at"] == [0, 5]
    assert found["terms"] == {"version": "1", "time_zone": "Asia/Shanghai"}
    assert [rule["rule"] for rule in found["rules"]] == ["ordinary_return"]
    assert found["amounts"]["amount"] == "613.57"
    assert [(line["side"], line["amount"]) for line in found["postings"]] == [
        ("DEBIT", "613.57"),
        ("CREDIT", "613.57"),
    ]


def test_the_steps_are_those_that_the_event_stores(terminal: Terminal) -> None:
    events = [json.loads(line) for line in golden_of(ORDINARY).read_text("utf-8").splitlines()]
    (stored,) = (event["body"]["working"] for event in events if event["event"] == "RefundIssued")

    assert told(terminal, REFUND, ORDINARY)["working"] == stored


def test_the_events_it_rests_on_are_named_with_their_places(terminal: Terminal) -> None:
    found = told(terminal, REFUND, ORDINARY)

    assert [event["event"] for event in found["events"]] == ["InstanceIsolated", "RefundIssued"]
    assert [event["event"] for event in found["rests_on"]] == [
        "InstanceOrderRecorded",
        "InstanceOrderRecorded",
        "InstanceReturnQuoted",
        "InstanceReturnQuoted",
    ]
    assert [event["event"] for event in found["then"]] == ["BalanceCredited", "RefundSettled"]
    assert [event["log_sequence"] for event in found["events"]] == [6, 7]


def test_a_downgrade_is_told_with_its_rules_and_what_is_left(terminal: Terminal) -> None:
    found = told(terminal, "c-4", EXAMPLES / "worked-12-downgrade.jsonl")
    assert [rule["rule"] for rule in found["rules"]] == ["downgrade", "ordinary_return"]
    assert found["amounts"]["amount"] == "183.92"
    steps = {step["step"]: step["result"] for step in found["working"]}
    assert steps["new_price"] == "528.00"
    assert steps["left_as_paid"] == "cash 528.00 CNY, gift 0.00 CNY"
    assert [event["event"] for event in found["events"]] == ["InstanceDowngraded", "RefundIssued"]


def test_an_upgrades_days_are_a_rule_of_the_return(terminal: Terminal) -> None:
    found = told(terminal, "c-8", EXAMPLES / "worked-11-upgrade.jsonl")
    assert [rule["rule"] for rule in found["rules"]] == ["ordinary_return", "upgrade"]
    assert found["terms"]["upgrade_use_until"] == "UPGRADE"
    rests_on = [event["event"] for event in found["rests_on"]]
    assert "InstanceUpgraded" in rests_on


def test_a_refund_and_its_command_are_explained_alike(terminal: Terminal) -> None:
    by_refund, by_command = (told(terminal, wanted, ORDINARY) for wanted in (REFUND, "c-6"))
    assert by_refund.pop("id") != by_command.pop("id")
    assert by_refund == by_command


def test_people_read_each_step_with_its_rounding_and_the_remainder(terminal: Terminal) -> None:
    out = terminal.run("explain", REFUND, "--file", ORDINARY).out

    assert out.startswith("ReturnInstance c-6 by u-1 (OWNER), account acct-ordinary: accepted\n")
    assert "8. ratio_split = cash 456.21 CNY, gift 157.36 CNY\n" in out
    assert "   rounded cash half up, gift the remainder\n" in out
    assert "1 credit refund_payable           613.57 CNY\n" in out
    assert "#7   RefundIssued             2026-08-20T13:40:00Z  partition 0 log_sequence 7" in out


def test_the_promotion_rule_is_named_where_its_fee_was_taken(terminal: Terminal) -> None:
    found = told(terminal, "c-5", EXAMPLES / "05-promotion-order.jsonl")
    names = [rule["rule"] for rule in found["rules"]]
    assert names == ["five_days_no_reason", "promotion_order"]


def test_a_refusal_is_told_with_every_rule_and_its_figures(terminal: Terminal) -> None:
    events = [json.loads(line) for line in golden_of(REFUSALS).read_text("utf-8").splitlines()]
    refused = [event for event in events if event["event"] == "CommandRefused"]
    assert refused
    for event in refused:
        if "COMMAND_ID_REUSED" in str(event):
            continue
        words = ("--account", event["account"])
        found = told(terminal, event["causation_id"], REFUSALS, *words)
        assert found["verdict"] == "refused"
        assert found["violations"] == event["body"]["violations"]
        assert {rule["rule"] for rule in found["rules"]} == {
            violation["rule"] for violation in event["body"]["violations"]
        }


def test_people_read_the_sentence_and_the_figures_of_a_refusal(terminal: Terminal) -> None:
    out = terminal.run("explain", "c-4", "--file", EXAMPLES / "05-promotion-order.jsonl").out

    assert "violated  SELF_SERVICE_NOT_SUPPORTED by promotion_order: order o-1 came thr" in out
    assert "            orders o-1\n" in out


def test_what_simulate_printed_is_explained_too(terminal: Terminal) -> None:
    printed = terminal.run("simulate", ORDINARY).out
    ran = terminal.run("explain", REFUND, "--file", "-", "--json", stdin=printed)
    (found,), played = ran.objects, told(terminal, REFUND, ORDINARY)

    for part in ("verdict", "working", "amounts", "postings", "rules"):
        assert found[part] == played[part]
    assert found["asked"] == {"command_id": "c-6", "decided_at": "2026-08-20T13:40:00Z"}
    assert [event["sequence"] for event in found["rests_on"]] == [2, 3, 4, 5]


def test_every_refund_and_command_of_the_examples_can_be_explained(terminal: Terminal) -> None:
    for example in sorted(EXAMPLES.glob("[02]*.jsonl")):
        printed = terminal.run("simulate", example).out
        commands = {
            (event["account"], event["causation_id"])
            for event in map(json.loads, printed.splitlines())
        }
        account, command = max(commands)
        words = ("--account", account, "--file", "-")
        assert terminal.run("explain", command, *words, stdin=printed).code == 0


def test_an_id_that_nobody_knows_is_named(terminal: Terminal) -> None:
    ran = terminal.run("explain", "c-99", "--file", ORDINARY, "--account", "acct-ordinary")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: there is no refund and no command 'c-99' in account acct-ord")


def test_an_id_of_several_accounts_asks_whose(terminal: Terminal) -> None:
    text = terminal.run("simulate", ORDINARY).out
    both = text + text.replace("acct-ordinary", "acct-other")

    ran = terminal.run("explain", "c-6", "--file", "-", stdin=both)
    assert ran.code == 2
    assert "is in several accounts (acct-ordinary, acct-other); name one with --account" in ran.err
    assert terminal.run("explain", "c-6", "-a", "acct-other", "--file", "-", stdin=both).code == 0


@pytest.mark.parametrize("line", ['{"event": "RefundIssued"}', '{"event": 1, "body": 2}'])
def test_a_line_that_is_no_event_is_named(terminal: Terminal, line: str) -> None:
    ran = terminal.run("explain", "c-6", "--file", "-", stdin=line)
    assert (ran.code, ran.out) == (2, "")
    assert "line 1: not an event in the format of 'refundctl simulate'" in ran.err


def test_a_correction_is_told_with_the_postings_it_turned(terminal: Terminal) -> None:
    lines = ORDINARY.read_text("utf-8").splitlines()
    correct = {
        "at": "2026-12-01T00:00:00Z",
        "command": "CorrectRefund",
        "id": "c-wrong",
        "account": "acct-ordinary",
        "actor": {"id": "s-1", "role": "SUPPORT"},
        "body": {
            "refund_id": REFUND,
            "reason": "another customer",
            "restore_quota": True,
            "restore_cap": False,
        },
    }
    ran = terminal.run(
        "explain", "c-wrong", "--file", "-", stdin="\n".join([*lines, json.dumps(correct)])
    )

    assert (ran.code, ran.err) == (0, "")
    assert "rules     corrections (decided for this ledger): " in ran.out
    assert "1 debit  balance:cash             456.21 CNY\n" in ran.out
    assert "\nresult" not in ran.out


@pytest.mark.parametrize(
    ("wanted", "rules", "moved"),
    [
        ("c-17", ["two_answers_of_a_gateway", "settle_to_the_card"], ["card_transit", "gateway"]),
        (
            "c-18",
            ["two_answers_of_a_gateway", "settle_to_the_card"],
            ["customer_receivable", "gateway"],
        ),
        ("c-23", ["two_answers_of_a_gateway", "settle_to_the_card"], []),
        ("c-19", ["two_answers_of_a_gateway"], []),
    ],
)
def test_an_answer_of_a_gateway_is_told_with_what_it_moved(
    terminal: Terminal, wanted: str, rules: list[str], moved: list[str]
) -> None:
    found = told(terminal, wanted, EXAMPLES / "44-gateway-two-answers.jsonl")

    assert [rule["rule"] for rule in found["rules"]] == rules
    assert [line["account"] for line in found["postings"]] == moved

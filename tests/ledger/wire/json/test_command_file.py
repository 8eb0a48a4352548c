"""A file of commands is checked whole, and nothing in it is used while anything is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.values.instants import parse_instant
from ledger.vocabulary.commands import ExchangeReservations, OpenAccount, ReturnInstance
from ledger.vocabulary.shapes import Role
from ledger.wire.json.command_file import read_command_file
from ledger.wire.json.command_lines import (
    AdvanceClock,
    Answer,
    CommandFile,
    CommandLine,
    Reference,
    resolve,
)
from ledger.wire.json.lines import json_lines
from ledger.wire.json.mapping import value_to_json
from ledger.wire.json.reading import MOST_PROBLEMS
from tests.samples import sample

AT = "2026-01-05T08:00:00Z"
OWNER = {"id": "u-1", "role": "OWNER"}
BILLING = {"id": "b-1", "role": "BILLING"}


def line(command: str, body: Any, command_id: str = "c-1", **changes: Any) -> dict[str, Any]:
    raw = {
        "at": AT,
        "command": command,
        "id": command_id,
        "account": "acct-1",
        "actor": OWNER,
        "body": body,
    }
    raw |= changes
    return {name: value for name, value in raw.items() if value is not None}


OPEN = line(
    "OpenAccount",
    {"account_type": "ONLINE", "us_government": False, "currency": "CNY"},
    "c-0",
    actor=BILLING,
)
OPEN_EA = line(
    "OpenAccount",
    {"account_type": "EA", "us_government": False, "currency": "USD"},
    "c-0",
    actor=BILLING,
)
QUOTE = line("QuoteInstanceReturn", {"instance_id": "i-1"}, "c-6")
ACT = line(
    "ReturnInstance",
    {
        "instance_id": "i-1",
        "quote_id": {"quote_of": "c-6"},
        "acknowledged": True,
        "confirmed_amount": {"amount_of": "c-6"},
    },
    "c-7",
)
RETURN = {"instance_id": "i-1", "acknowledged": True, "confirmed_amount": "5.00"}


def read(*lines: dict[str, Any] | str, **options: Any) -> CommandFile:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    options = {"require_at": True, **options}
    return read_command_file("\n".join(texts).encode(), **options)


def told(*lines: dict[str, Any] | str, **options: Any) -> list[str]:
    return [str(problem) for problem in read(*lines, **options).problems]


def test_a_file_is_read_line_by_line() -> None:
    clock = {"at": "2026-01-13T00:00:00Z", "command": "AdvanceClock"}
    file = read(OPEN, "", QUOTE, ACT, clock)
    assert file.problems == ()
    opened, quote, act, advance = file.lines
    assert isinstance(opened, CommandLine)
    assert isinstance(opened.command.body, OpenAccount)
    assert opened.command.meta.actor.role is Role.BILLING
    assert opened.at == parse_instant(AT)
    assert isinstance(quote, CommandLine)
    assert (quote.line_number, quote.name, quote.id) == (3, "QuoteInstanceReturn", "c-6")
    assert isinstance(act, CommandLine)
    assert act.references == {
        "quote_id": Reference(word="quote_of", of="c-6"),
        "confirmed_amount": Reference(word="amount_of", of="c-6"),
    }
    assert act.currency == "CNY"
    assert advance == AdvanceClock(line_number=5, at=parse_instant("2026-01-13T00:00:00Z"))


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated() -> None:
    content = b"\xef\xbb\xbf" + json.dumps(OPEN).encode() + b"\r\n\r\n" + json.dumps(QUOTE).encode()
    file = read_command_file(content, require_at=True)
    assert file.problems == ()
    assert [one.line_number for one in file.lines] == [1, 3]


def test_a_quote_is_filled_in_when_it_is_known() -> None:
    act = read(OPEN, QUOTE, ACT).lines[2]
    assert isinstance(act, CommandLine)
    asked: list[tuple[str, str]] = []

    def quotes(account: str, command_id: str) -> Answer:
        asked.append((account, command_id))
        return Answer(quote_id="q-1", amount=500)

    command = resolve(act, quotes, sandbox_at=7)
    assert command.body == ReturnInstance(
        instance_id="i-1",
        quote_id="q-1",
        acknowledged=True,
        confirmed_amount=500,
        currency="CNY",
    )
    assert command.meta.sandbox_at == 7
    assert set(asked) == {("acct-1", "c-6")}


def test_a_refused_quote_leaves_an_id_that_no_quote_has() -> None:
    act = read(OPEN, QUOTE, ACT).lines[2]
    assert isinstance(act, CommandLine)
    body = resolve(act, lambda *_: None).body
    assert isinstance(body, ReturnInstance)
    assert body.quote_id
    assert body.confirmed_amount is None
    assert body == resolve(act, lambda *_: None).body


def test_an_exchange_may_confirm_a_quoted_amount() -> None:
    exchange = value_to_json(sample(ExchangeReservations)) | {
        "currency": None,
        "quote_id": {"quote_of": "c-6"},
        "confirmed_amount": {"amount_of": "c-6"},
    }
    quote = value_to_json(sample(ExchangeReservations))
    quote = {"returns": quote["returns"], "purchases": quote["purchases"]}
    file = read(
        OPEN_EA,
        line("QuoteReservationExchange", quote, "c-6"),
        line("ExchangeReservations", exchange, "c-7"),
    )
    assert file.problems == ()
    act = file.lines[2]
    assert isinstance(act, CommandLine)
    body = resolve(act, lambda *_: Answer(quote_id="q-1", amount=-5)).body
    assert isinstance(body, ExchangeReservations)
    assert (body.confirmed_amount, body.currency) == (-5, "USD")


def test_the_running_ledger_knows_currencies_too() -> None:
    act = line("ReturnInstance", RETURN)
    assert told(act, known_currencies={"acct-1": "CNY"}) == []
    assert told(act, known_currencies={"acct-2": "CNY"}) == [
        'line 1, body.confirmed_amount: found "5.00", expected the account\'s currency to be '
        "known, from an OpenAccount line above or the running ledger, or "
        '{"amount": ..., "currency": ...}'
    ]


def test_the_first_account_opened_gives_the_currency() -> None:
    again = line("OpenAccount", OPEN["body"] | {"currency": "USD"}, "c-1", actor=BILLING)
    file = read(OPEN, again, line("ReturnInstance", RETURN, "c-2"))
    assert file.problems == ()
    last = file.lines[2]
    assert isinstance(last, CommandLine)
    assert last.currency == "CNY"


BAD: dict[str, tuple[list[Any], str, str]] = {
    "malformed JSON": (['{"at": 1,, }'], "", "column 10"),
    "not an object": (["[1]"], "", "found [1], expected one JSON object"),
    "a number JSON does not have": (['{"at": NaN}'], "", "NaN is not JSON"),
    "a number of 5000 digits": (['{"at": ' + "9" * 5000 + "}"], "", "one JSON object of plain"),
    "deep nesting": (["[" * 100_000], "", "one JSON object"),
    "a key twice": (['{"id": "a", "id": "b"}'], "", "the key 'id' twice"),
    "a line too long": (['{"id": "' + "a" * 1_000_000 + '"}'], "", "at most 1000000 bytes"),
    "no command": ([QUOTE | {"command": None}], "command", "found nothing"),
    "a command that is no name": ([QUOTE | {"command": [1]}], "command", "a known command"),
    "an unknown command": ([line("ReturnInstanse", {})], "command", "mean 'ReturnInstance'"),
    "an unknown field": ([QUOTE | {"acount": "a"}], "acount", "did you mean 'account'"),
    "no id": ([line("TakeInstanceOffline", {"instance_id": "i"}, id=None)], "id", "a string"),
    "an empty id": ([line("TakeInstanceOffline", {"instance_id": "i"}, "")], "id", "1 to 200"),
    "an account that is a number": ([QUOTE | {"account": 7}], "account", "found 7"),
    "an unknown role": (
        [QUOTE | {"actor": {"id": "u", "role": "CHEF"}}],
        "actor.role",
        "one of OWNER, BUYER",
    ),
    "no body": ([line("QuoteInstanceReturn", None)], "body.instance_id", "a string"),
    "a bad amount": (
        [OPEN, line("ReturnInstance", RETURN | {"confirmed_amount": "5.001"})],
        "body.confirmed_amount",
        "CNY has 2 decimals",
    ),
    "a negative amount": (
        [OPEN, line("ReturnInstance", RETURN | {"confirmed_amount": "-5.00"})],
        "body.confirmed_amount",
        'found "-5.00"',
    ),
    "another currency": (
        [OPEN, line("ReturnInstance", RETURN | {"currency": "USD"})],
        "body.currency",
        "'CNY', the account's currency",
    ),
    "a rate for an account in dollars": (
        [OPEN_EA, line("QuoteReservationRefund", {"reservation_id": "r", "usd_rate": "1.1"})],
        "body.usd_rate",
        "the account is in USD",
    ),
    "no instant": ([line("QuoteInstanceReturn", QUOTE["body"], at=None)], "at", "found nothing"),
    "a bad instant": ([QUOTE | {"at": "today"}], "at", 'found "today"'),
    "time runs backwards": (
        [OPEN, QUOTE | {"at": "2026-01-05T07:59:59Z"}],
        "at",
        "2026-01-05T08:00:00Z or later",
    ),
    "a quote that is not above": (
        [OPEN, ACT | {"body": RETURN | {"quote_id": {"quote_of": "c-9"}}}],
        "body.quote_id",
        "quote command above",
    ),
    "a quote of another account": (
        [
            OPEN,
            QUOTE | {"account": "acct-2"},
            ACT | {"body": RETURN | {"quote_id": {"quote_of": "c-6"}}},
        ],
        "body.quote_id",
        "of the same account",
    ),
    "a reference that is no id": (
        [OPEN, QUOTE, ACT | {"body": RETURN | {"quote_id": {"quote_of": ["c-6"]}}}],
        "body.quote_id",
        "quote command above",
    ),
    "an application that is not above": (
        [
            OPEN,
            line(
                "CompleteOverdueMarketplaceRefund",
                {"purchase_id": "p-1", "request_id": {"request_of": "c-9"}},
            ),
        ],
        "body.request_id",
        "the id of a command above, of the same account",
    ),
    "an amount quoted in an unknown currency": (
        [QUOTE, ACT],
        "body.confirmed_amount",
        "the account's currency to be known",
    ),
    "an advance with a body": (
        [{"at": AT, "command": "AdvanceClock", "body": {}}],
        "body",
        "unknown field",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_the_line_and_the_field_are_told_for(fault: str) -> None:
    lines, field, words = BAD[fault]
    (problem,) = read(*lines).problems
    assert problem.line == len(lines)
    assert problem.field == field
    assert words in str(problem)


def test_a_line_without_an_actor_is_told() -> None:
    raw = {name: value for name, value in QUOTE.items() if name != "actor"}
    assert told(raw) == [
        'line 1, actor: found nothing, expected an actor such as {"id": "u-1", "role": "OWNER"}'
    ]


def test_bytes_that_are_no_text_are_told() -> None:
    (problem,) = read_command_file(b'{"id": "\xff"}', require_at=True).problems
    assert str(problem) == "line 1: found byte 0xff at 9, expected UTF-8 text"


def test_outside_a_sandbox_no_line_has_an_instant() -> None:
    clock = {"at": AT, "command": "AdvanceClock"}
    fields = [
        (problem.line, problem.field)
        for problem in read(OPEN | {"at": None}, QUOTE, clock, require_at=False).problems
    ]
    assert fields == [(2, "at"), (3, "at"), (3, "command")]


def test_all_problems_of_the_file_are_told() -> None:
    no_type = line("OpenAccount", {"us_government": 0, "currency": "CNY"}, "c-0", actor=BILLING)
    fields = [
        (problem.line, problem.field)
        for problem in read(
            no_type, "{", QUOTE | {"at": 5}, line("ReturnInstance", RETURN)
        ).problems
    ]
    assert fields == [
        (1, "body.account_type"),
        (1, "body.us_government"),
        (2, ""),
        (3, "at"),
    ]


def test_a_file_with_a_lone_surrogate_can_still_be_told_about() -> None:
    for text in told(QUOTE | {"body": {"instance_id": "\ud800"}}):
        assert text.encode()


def test_what_a_command_led_to_is_referred_to_by_its_id() -> None:
    body = {"refund_id": {"refund_of": "c-7", "leg": 2}, "reason": "twice", "restore_quota": True}
    support = {"id": "s-1", "role": "SUPPORT"}
    corrected = ACT | {"id": "c-8", "command": "CorrectRefund", "actor": support}
    (*_, line) = read(OPEN, QUOTE, ACT, corrected | {"body": body | {"restore_cap": False}}).lines
    assert isinstance(line, CommandLine)
    assert line.references == {"refund_id": Reference(word="refund_of", of="c-7", leg=2)}
    legs = Answer(refund_ids=("r-1", "r-2"))
    assert getattr(resolve(line, lambda *_: legs).body, "refund_id", None) == "r-2"
    unknown = resolve(line, lambda *_: Answer(refund_ids=("r-1",))).body
    assert getattr(unknown, "refund_id", None) not in {"r-1", "r-2", "not known yet"}


@pytest.mark.parametrize(
    "reference",
    [
        {"refund_of": "c-9"},
        {"refund_of": "c-8"},
        {"refund_of": "c-7", "leg": 0},
        {"refund_of": "c-7", "leg": "1"},
        {"refund_of": "c-7", "leg": True},
        {"refund_of": "c-7", "of": 1},
    ],
)
def test_a_reference_to_no_command_above_is_told(reference: dict[str, object]) -> None:
    body = {"refund_id": reference, "gateway_reference": "g-1"}
    billing = {"id": "b-1", "role": "BILLING"}
    line = ACT | {"id": "c-8", "command": "ConfirmCardRefund", "actor": billing, "body": body}
    (problem,) = told(OPEN, QUOTE, ACT, line)
    assert problem.startswith("line 4, body.refund_id: found")
    assert 'expected {"refund_of": ID} with the id of a command above' in problem


@pytest.mark.parametrize(
    ("word", "answer", "expected"),
    [
        ("request_of", Answer(request_id="q-1"), "q-1"),
        ("isolation_of", Answer(isolation_id="i-1"), "i-1"),
        ("quote_of", Answer(quote_id="z-1"), "z-1"),
        ("refund_of", Answer(refund_ids=("r-1",)), "r-1"),
        ("refund_of", Answer(), None),
    ],
)
def test_each_word_stands_for_its_own_id(word: str, answer: Answer, expected: str | None) -> None:
    assert answer.id_of(Reference(word=word, of="c-1")) == expected


def test_of_very_many_unknown_fields_only_some_are_told() -> None:
    file = read(OPEN | {f"field_{number}": 1 for number in range(1_000)})
    assert len(file.problems) == MOST_PROBLEMS


@pytest.mark.timeout(30)
def test_a_key_that_comes_twice_is_found_among_very_many() -> None:
    """By comparing each with each it would take minutes, for one line."""
    names = [*map(str, range(90_000)), "89999"]
    (found,) = json_lines(("{" + ",".join(f'"{name}":1' for name in names) + "}").encode())
    assert found.found == "the key '89999' twice"

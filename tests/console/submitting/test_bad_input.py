"""Bad input gets its line, its field and what was expected, exit code 2, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console.virtual_terminal import Ran, Terminal

OPEN: dict[str, Any] = {
    "at": "2026-01-05T08:00:00Z",
    "command": "OpenAccount",
    "id": "c-1",
    "account": "acct-1",
    "actor": {"id": "billing", "role": "BILLING"},
    "body": {"account_type": "ONLINE", "us_government": False, "currency": "CNY"},
}
TERM: dict[str, Any] = {
    **OPEN,
    "command": "RecordInstanceOrder",
    "id": "c-2",
    "body": {
        "order_id": "o-1",
        "kind": "NEW",
        "channel": "STANDARD",
        "starts_at": "2026-01-05T08:00:00Z",
        "ends_at": "2027-01-05T08:00:00Z",
        "lines": [
            {
                "instance_id": "i-1",
                "product": "redis",
                "region": "ap-guangzhou",
                "paid": {"cash": "1.00", "gift": "0"},
                "components": [
                    {
                        "name": "node",
                        "list_monthly": "1.00",
                        "payg": [{"from_hours": 0, "hourly": "0.063"}],
                    }
                ],
            }
        ],
    },
}
RETURN: dict[str, Any] = {
    **OPEN,
    "command": "ReturnInstance",
    "id": "c-3",
    "actor": {"id": "u-1", "role": "OWNER"},
    "body": {"instance_id": "i-1", "quote_id": {"quote_of": "c-9"}, "acknowledged": True},
}
PAID = "body.lines[0].paid.cash"

CASES: dict[str, tuple[list[Any], str]] = {
    "malformed JSON": ([OPEN, '{"at": '], "line 2"),
    "no object": (["[1]"], "line 1: found [1], expected one JSON object"),
    "key twice": (['{"at": 1, "at": 2}'], "line 1: found the key 'at' twice"),
    "unknown command": (
        [{**OPEN, "command": "OpenAcount"}],
        'line 1, command: found "OpenAcount", expected a known command; did you mean \'OpenAc',
    ),
    "no command": (
        [{name: value for name, value in OPEN.items() if name != "command"}],
        "line 1, command: found nothing",
    ),
    "unknown field": ([{**OPEN, "acount": "a"}], "line 1, acount: found unknown field"),
    "unknown body field": (
        [{**OPEN, "body": {**OPEN["body"], "color": "red"}}],
        "line 1, body.color: found unknown field",
    ),
    "missing field": ([{**OPEN, "body": {}}], "line 1, body.account_type: found nothing"),
    "wrong type": (
        [{**OPEN, "body": {**OPEN["body"], "us_government": "no"}}],
        'line 1, body.us_government: found "no", expected true or false',
    ),
    "unknown role": (
        [{**OPEN, "actor": {"id": "x", "role": "KING"}}],
        'line 1, actor.role: found "KING", expected one of OWNER, BUYER',
    ),
    "no instant": (
        [{name: value for name, value in OPEN.items() if name != "at"}],
        "line 1, at: found nothing, expected an instant",
    ),
    "time going back": (
        [OPEN, {**OPEN, "at": "2026-01-05T07:59:59Z", "id": "c-2"}],
        'line 2, at: found "2026-01-05T07:59:59Z", expected 2026-01-05T08:00:00Z or later',
    ),
    "unknown currency": (
        [{**OPEN, "body": {**OPEN["body"], "currency": "XXY"}}],
        'line 1, body.currency: found "XXY", expected an ISO 4217',
    ),
    "currency of an account that is not known": ([TERM], f'line 1, {PAID}: found "1.00"'),
    "quote that nobody asked for": ([OPEN, RETURN], "line 2, body.quote_id: found"),
}


def paid(amount: Any) -> dict[str, Any]:
    line = {**TERM["body"]["lines"][0], "paid": {"cash": amount, "gift": "0"}}
    return {**TERM, "body": {**TERM["body"], "lines": [line]}}


AMOUNTS: dict[str, tuple[Any, str]] = {
    "too many digits": ("1.234", "1.234 has 3 decimals, but CNY has 2 decimals"),
    "a float": (1.5, f"line 2, {PAID}: found 1.5, expected an amount as a decimal string"),
    "another currency": ({"amount": "1.00", "currency": "USD"}, "line 2"),
    "text": ("much", f'line 2, {PAID}: found "much"'),
    "a separator": ("1,000.00", f'line 2, {PAID}: found "1,000.00"'),
}


def simulated(terminal: Terminal, folder: Path, lines: list[Any]) -> Ran:
    file = folder / "commands.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts), encoding="utf-8")
    return terminal.run("simulate", file)


def assert_refused(ran: Ran, expected: str) -> None:
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert expected in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("case", CASES)
def test_a_bad_line_is_named(terminal: Terminal, tmp_path: Path, case: str) -> None:
    lines, expected = CASES[case]
    assert_refused(simulated(terminal, tmp_path, lines), expected)


@pytest.mark.parametrize("case", AMOUNTS)
def test_a_bad_amount_is_named(terminal: Terminal, tmp_path: Path, case: str) -> None:
    amount, expected = AMOUNTS[case]
    assert_refused(simulated(terminal, tmp_path, [OPEN, paid(amount)]), expected)


def test_the_lines_that_are_bad_here_are_good_but_for_their_fault(
    terminal: Terminal, tmp_path: Path
) -> None:
    assert simulated(terminal, tmp_path, [OPEN, TERM, paid("1")]).code == 0


def test_all_problems_of_a_file_are_told_at_once(terminal: Terminal, tmp_path: Path) -> None:
    ran = simulated(terminal, tmp_path, [{**OPEN, "command": "Nope"}, OPEN, paid("1.234"), "{"])

    assert_refused(ran, "commands.jsonl has 3 problems; nothing was published:")
    starts = [line.split(",")[0].split(":")[0].strip() for line in ran.err.splitlines()[1:]]
    assert starts == ["line 1", "line 3", "line 4"]


def test_a_file_of_nothing_but_problems_is_cut_short(terminal: Terminal, tmp_path: Path) -> None:
    ran = simulated(terminal, tmp_path, ["{"] * 60)
    assert_refused(ran, "60 problems")
    assert ran.err.endswith("… and 10 more\n")


def test_a_file_that_is_not_there_is_named(terminal: Terminal) -> None:
    assert_refused(terminal.run("simulate", "nowhere.jsonl"), "nowhere.jsonl: No such file")


def test_an_empty_file_is_no_file_of_commands(terminal: Terminal, tmp_path: Path) -> None:
    assert_refused(simulated(terminal, tmp_path, [""]), "contains no commands; see examples/")

"""Asking a running ledger about its past: the same answer for ever, or a sentence why not."""

from __future__ import annotations

import pytest

from tests.console.golden_files import EXAMPLES
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Ran, Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

ACCOUNT = ("--account", "acct-five-days")
AT = "2026-01-06T00:00:00Z"


@pytest.fixture(scope="module")
def submitted() -> list[Ran]:
    """What came of the module's one submission."""
    return []


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger, submitted: list[Ran]) -> Terminal:
    """A terminal on a sandbox that stands at 20 January 2026, all before it complete."""
    terminal.use(sandbox_ledger.environment)
    if not submitted:
        submitted.append(terminal.run("submit", EXAMPLES / "01-five-days.jsonl"))
        _wait_until_complete(terminal, "2026-01-20T00:00:00Z")
    return terminal


def _wait_until_complete(terminal: Terminal, instant: str) -> None:
    def complete() -> bool:
        rows = terminal.run("query", "reached", "--json").objects
        return {row["reached_until"] for row in rows} == {instant}

    wait_until(complete, f"the past until {instant}")


def test_the_past_is_answered_and_says_how_to_ask_again(sandbox: Terminal) -> None:
    first = sandbox.run("query", "balances", *ACCOUNT, "--at", AT, "--json")
    known = "2026-01-19T23:59:59.999999Z"
    assert (first.code, first.err) == (
        0,
        f"as of {AT}, as known at {known} (--at {AT} --known-at {known})\n",
    )
    again = sandbox.run("query", "balances", *ACCOUNT, "--at", AT, "--known-at", known, "--json")
    assert again.objects == first.objects
    later = sandbox.run("query", "balances", *ACCOUNT, "--known-at", known, "--json")
    assert later.objects != first.objects


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("balances", "--at", "yesterday"), "--at: not an RFC 3339 instant: 'yesterday'; write"),
        (("balances", "--at", "2026-01-06"), "--at: not an RFC 3339 instant: '2026-01-06'; write"),
        (("balances", "--at", "2026-02-30T00:00:00Z"), "--at: "),
        (("balances", "--known-at", "1969-01-01T00:00:00Z"), "--known-at: outside 1970..9999"),
        (
            ("balances", "--at", "2027-01-01T00:00:00Z"),
            "lies in the future: the present is 2026-01",
        ),
        (
            ("balances", "--at", "2025-01-01T00:00:00Z"),
            "is before the ledger began: its first even",
        ),
        (("balances", "--at", "2026-01-20T00:00:00Z"), "is not answerable yet: every partition is"),
        (("statement", "--at", AT, "--account", "nobody"), "account nobody: the read models have"),
        (
            ("statement", "--columns", "line,amuont"),
            "question statement has no column 'amuont'; it",
        ),
        (("quotas", "--at", AT), "question quotas is only about the present"),
        (("terms", "--account", "acct-five-days"), "question terms is not about accounts"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence_and_exit_code_2(
    sandbox: Terminal, words: tuple[str, ...], said: str
) -> None:
    ran = sandbox.run("query", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_columns_come_in_the_order_asked_for(sandbox: Terminal) -> None:
    ran = sandbox.run("query", "statement", *ACCOUNT, "--columns", "balance,line", "--json")
    assert [list(row) for row in ran.objects] == [["balance", "line"]] * len(ran.objects)
    assert ran.objects

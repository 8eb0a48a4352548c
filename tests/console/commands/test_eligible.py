"""`eligible` tells what may be done now, equal to what a quote says; nothing comes of asking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from console.explaining.eligibility import eligibility_of
from console.rendering.reports.eligibility import eligibility_to_json
from console.terminal.errors import BadInput
from ledger.terms.table import released_terms
from ledger.values.instants import DAY
from projector.asking.histories import History
from tests.console import eligible
from tests.console.golden_files import ELIGIBLE, EXAMPLES
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Ran, Terminal

EXAMPLE = EXAMPLES / eligible.EXAMPLE
ONLINE, CSP = "acct-eligible", "acct-eligible-csp"
TERMS = released_terms()


@pytest.fixture
def online() -> History:
    return eligible.histories(EXAMPLE)[ONLINE]


@pytest.fixture
def csp() -> History:
    return eligible.histories(EXAMPLE)[CSP]


def acts(history: History, thing: str, **how: Any) -> dict[str, Any]:
    """What is told of one thing's acts, by act."""
    return acts_in(eligibility_to_json(eligibility_of(history, TERMS, **how)), thing)


def acts_in(told: dict[str, Any], thing: str) -> dict[str, Any]:
    (found,) = (each for each in told["things"] if each["id"] == thing)
    return {each["act"]: each for each in found["acts"]}


def test_what_people_read_at_the_end_of_the_example() -> None:
    assert eligible.told(EXAMPLE) == ELIGIBLE.read_text("utf-8")


def test_machines_are_told_the_command_to_begin_with(online: History, csp: History) -> None:
    returning = acts(online, "i-1")["ReturnInstance"]
    assert returning["ask"] == {
        "command": "QuoteInstanceReturn",
        "actor": {"id": ONLINE, "role": "OWNER"},
        "body": {"instance_id": "i-1"},
    }
    assert returning["brings"] == {
        "rule": "ORDINARY_RETURN",
        "gross": "1393.76",
        "fee": "0.00",
        "amount": "1393.76",
        "parts": {"cash": "985.74", "gift": "408.02"},
        "currency": "CNY",
    }
    swap = acts(csp, "r-1")["SwapReservation"]
    assert swap["ask"]["body"] == {"reservation_id": "r-1", "sku": "Standard_F1s"}


def test_what_must_be_given_is_left_out_of_it_and_named(online: History, csp: History) -> None:
    application = acts(online, "p-1")["RequestMarketplaceRefund"]
    assert application["to_give"] == ["reason"]
    assert application["ask"]["body"] == {"purchase_id": "p-1", "acknowledged": True}
    exchange = acts(csp, "r-1")["ExchangeReservations"]
    assert (exchange["may"], exchange["to_give"]) == (True, ["purchases"])
    assert "purchases" not in exchange["ask"]["body"]
    assert set(exchange["brings"]) == {"returned_total", "remaining_commitment", "currency"}
    (must,) = exchange["must"]
    assert must["figures"]["remaining_commitment"] == exchange["brings"]["remaining_commitment"]
    assert [step["step"] for step in exchange["working"]][-1] == "returned_total"


def test_every_rule_in_the_way_is_told_with_its_figures(csp: History) -> None:
    (violation,) = acts(csp, "r-3")["RefundReservation"]["violations"]
    assert violation["code"] == "REFUND_CAP_EXCEEDED"
    assert violation["figures"]["left_usd"] == "50000.00"


def test_it_says_what_it_rests_on(online: History) -> None:
    told = eligibility_to_json(eligibility_of(online, TERMS))
    assert told["as_of"] == {
        "partition": 0,
        "log_sequence": 21,
        "recorded_at": "2038-06-03T08:00:00Z",
        "events": 17,
    }


def test_support_may_what_its_owner_may_not(online: History) -> None:
    found = acts(online, "i-2", support=True, actor_id="s-1")["ReturnInstance"]
    assert found["may"]
    assert found["ask"]["actor"] == {"id": "s-1", "role": "SUPPORT"}


def test_a_later_instant_takes_its_timers_as_done(online: History) -> None:
    later = eligibility_of(online, TERMS, later=online.now + 7 * DAY)
    told = eligibility_to_json(later)
    (thing,) = (each for each in told["things"] if each["id"] == "i-4")
    assert thing["state"] == "DESTROYED"
    assert not acts_in(told, "i-4")["TakeInstanceOffline"]["may"]


def test_the_past_cannot_be_planned(online: History) -> None:
    assert eligibility_of(online, TERMS, later=online.now).at == online.now
    with pytest.raises(BadInput, match="has passed, the present is 2038-06-03T08:00:00Z"):
        eligibility_of(online, TERMS, later=online.now - 1)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ("0", "--usd-rate: 0 is not"),
        ("x", "--usd-rate: x is not"),
        ("1.1", "the account is in USD"),
    ],
)
def test_a_rate_that_is_wrong_is_named(csp: History, rate: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        eligibility_of(csp, TERMS, usd_rate=rate)


def test_a_dollar_may_be_said_to_be_one(csp: History) -> None:
    assert eligibility_of(csp, TERMS, usd_rate="1.00").things


def test_a_rate_is_asked_for_where_the_cap_counts_in_it(online: History) -> None:
    dinars = eligible.histories(EXAMPLES / "28-reservation-currencies.jsonl")
    for history in dinars.values():
        with pytest.raises(BadInput, match=r"say with --usd-rate what one ... is worth"):
            eligibility_of(history, TERMS)
        assert eligibility_of(history, TERMS, usd_rate="0.1").things
    assert eligibility_of(online, TERMS).currency == "CNY"


def test_an_account_that_was_only_refused_has_nothing() -> None:
    histories = eligible.histories(EXAMPLES / "09-refusals.jsonl").values()
    (refused,) = (each for each in histories if each.events[0].name == "CommandRefused")
    with pytest.raises(BadInput, match="was never opened"):
        eligibility_of(replace(refused, events=refused.events[:1]), TERMS)


@pytest.mark.parametrize("at", ["yesterday", "2038-06-03"])
def test_an_instant_that_is_none_is_named(terminal: Terminal, at: str) -> None:
    ran = terminal.run("eligible", "--account", ONLINE, "--at", at)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: --at: ")


@pytest.fixture(scope="module")
def submitted() -> list[Ran]:
    """What came of the module's one submission."""
    return []


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger, submitted: list[Ran]) -> Terminal:
    """A terminal on a sandbox that stands at the end of the example."""
    terminal.use(sandbox_ledger.environment)
    if not submitted:
        submitted.append(terminal.run("submit", EXAMPLE, "--strict"))
    return terminal


@pytest.mark.timeout(600)
def test_the_running_ledger_says_what_its_simulation_does(sandbox: Terminal) -> None:
    for account, history in eligible.histories(EXAMPLE).items():
        ran = sandbox.run("eligible", "--account", account, "--json")
        assert (ran.code, ran.err) == (0, "")
        (told,) = ran.objects
        simulated = json.loads(json.dumps(eligibility_to_json(eligibility_of(history, TERMS))))
        assert told["things"] == simulated["things"]
        assert (told["at"], told["terms"]) == (simulated["at"], simulated["terms"])


@pytest.mark.timeout(600)
def test_a_real_quote_at_the_same_instant_is_what_was_said(sandbox: Terminal) -> None:
    (told,) = sandbox.run("eligible", "--account", CSP, "--json").objects
    said = acts_in(told, "r-3")["RefundReservation"]
    words = ("quote", "reservation-refund", "r-3", "-a", CSP, "--actor", "u-1", "--json")
    (quoted,) = sandbox.run(*words).objects
    body = quoted["quote"]["events"][0]["body"]
    assert body["violations"] == said["violations"]
    assert body["working"] == said["working"]
    assert {name: body[name] for name in said["brings"]} == said["brings"]


@pytest.mark.timeout(600)
def test_people_read_a_table_and_on_request_the_working(sandbox: Terminal) -> None:
    ran = sandbox.run("eligible", "-a", ONLINE)
    assert "1393.76 CNY (cash 985.74, gift 408.02), ORDINARY_RETURN" in ran.out
    assert "value_used" not in ran.out
    ran = sandbox.run("eligible", "-a", ONLINE, "--working")
    assert "  4. value_used = 20.16\n" in ran.out


@pytest.mark.timeout(600)
def test_an_account_that_nobody_knows_is_named(sandbox: Terminal) -> None:
    ran = sandbox.run("eligible", "--account", "acct-none")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: account acct-none: the read models have none of that id")

"""Existence and state: what a command names is there, what it makes is not, or it is refused."""

from __future__ import annotations

import pytest

from ledger.state.account_entities import CommitmentTerm
from ledger.state.entities import Account
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ChangeCard,
    Command,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    RestoreInstance,
    SetAccountStanding,
    SettleRefund,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import AccountOpened, CardChanged, CommitmentTermOpened
from ledger.vocabulary.shapes import AccountType
from tests.bodies import line, order, postpaid, renewal, returning
from tests.scenario import START, Scenario

OPEN = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
TERM = OpenCommitmentTerm(term_id="t-1", starts_on=1, ends_on=2, amount=100, currency="CNY")

ON_NOTHING: list[tuple[Command, dict[str, str]]] = [
    (QuoteInstanceReturn(instance_id="i-9"), {"instance": "i-9"}),
    (returning("i-9"), {"instance": "i-9"}),
    (DestroyPostpaidInstance(instance_id="i-9", acknowledged=True), {"instance": "i-9"}),
    (RestoreInstance(instance_id="i-9"), {"instance": "i-9"}),
    (TakeInstanceOffline(instance_id="i-9"), {"instance": "i-9"}),
    (DestroyIsolatedInstance(instance_id="i-9", isolation_id="x"), {"instance": "i-9"}),
    (renewal("o-2", line("i-9"), starts_at=START), {"instance": "i-9"}),
    (returning("i-1", "q-9", 1), {"quote": "q-9"}),
    (ExpireInstance(instance_id="i-1", order_id="o-9"), {"order": "o-9"}),
    (RestoreInstance(instance_id="i-1", renewal_order_id="o-9"), {"order": "o-9"}),
    (SettleRefund(refund_id="r-9"), {"refund": "r-9"}),
]


@pytest.mark.parametrize(("command", "figures"), ON_NOTHING)
def test_what_is_not_there_is_named(command: Command, figures: dict[str, str]) -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START))
    violation = s.when(command).refused(Code.NOT_FOUND).violations[0]
    assert violation.figures == figures
    assert violation.rule == "existence_and_state"
    assert next(iter(figures.values())) in violation.message


def test_all_that_is_missing_is_listed() -> None:
    s = Scenario().opened()
    refusal = s.when(ExpireInstance(instance_id="i-9", order_id="o-9"))
    found = refusal.refused(Code.NOT_FOUND, Code.NOT_FOUND).violations
    assert [violation.figures for violation in found] == [{"instance": "i-9"}, {"order": "o-9"}]


@pytest.mark.parametrize(
    "command", [returning(), postpaid(), TERM, SetAccountStanding(in_arrears=True)]
)
def test_an_account_is_opened_first(command: Command) -> None:
    figures = Scenario().when(command).refused(Code.NOT_FOUND).violations[0].figures
    assert figures == {"account": "acct-1"}


def test_an_account_is_opened_once() -> None:
    s = Scenario()
    s.when(OPEN).then(
        AccountOpened(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    )
    assert s.when(OPEN).refused(Code.ALREADY_EXISTS).violations[0].figures == {"account": "acct-1"}


def test_an_order_and_its_instances_are_new_once() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), line("i-2"), starts_at=START))
    again = order("o-1", line("i-2"), line("i-3"), starts_at=START)
    found = s.when(again).refused(Code.ALREADY_EXISTS, Code.ALREADY_EXISTS).violations
    assert [violation.figures for violation in found] == [{"order": "o-1"}, {"instance": "i-2"}]
    s.when(postpaid("i-1")).refused(Code.ALREADY_EXISTS)
    s.when(renewal("o-1", line("i-1"), starts_at=START)).refused(Code.ALREADY_EXISTS)


def test_an_order_id_is_taken_for_ever() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START))
    s.give(returning())
    s.when(order("o-1", line("i-9"), starts_at=START)).refused(Code.ALREADY_EXISTS)


def test_a_commitment_term_is_opened_once() -> None:
    s = Scenario().opened(AccountType.EA, currency="USD")
    term = OpenCommitmentTerm(term_id="t-1", starts_on=1, ends_on=2, amount=100, currency="USD")
    s.when(term).then(
        CommitmentTermOpened(term_id="t-1", starts_on=1, ends_on=2, amount=100, currency="USD")
    )
    found = s.when(term).refused(Code.ALREADY_EXISTS).violations[0]
    assert found.figures == {"commitment_term": "t-1"}
    assert s.the_account().commitment_terms == (
        CommitmentTerm(term_id="t-1", starts_on=1, ends_on=2),
    )


def test_the_card_on_file_is_the_last_one() -> None:
    s = Scenario().opened(AccountType.PAYG_CARD, currency="USD")
    s.when(ChangeCard(card_id="k-1")).then(CardChanged(card_id="k-1"))
    s.give(ChangeCard(card_id="k-2"))
    assert s.the_account().card_id == "k-2"


def test_ids_are_scoped_by_their_account() -> None:
    s, other = Scenario().opened(), Scenario("acct-2")
    other.state = s.state
    s.give(order("o-1", starts_at=START))
    other.opened().when(returning("i-1")).refused(Code.NOT_FOUND)
    assert len(other.give(order("o-1", starts_at=START))) == 1
    assert other.state.find(Account, "acct-1", "") is not None

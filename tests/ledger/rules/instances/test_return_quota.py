"""Return quota: one full and 199 ordinary self-service returns, counted when they are issued."""

from __future__ import annotations

from ledger.values.instants import DAY, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import QuoteInstanceReturn, RestoreInstance
from ledger.vocabulary.events import InstanceReturnQuoted
from ledger.vocabulary.shapes import RefundRule, Role
from tests.bodies import YEAR, line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import act_on, issued, quoted, returned
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)


def many(count: int) -> Scenario:
    """So many instances, past their five days, from one order."""
    s = Scenario().opened()
    lines = [line(f"i-{number}", paid(100_000)) for number in range(count)]
    s.give(order("o-1", *lines, starts_at=START))
    return s.at(BEGIN + 6 * DAY)


def test_the_199th_ordinary_return_is_made_and_the_200th_is_not() -> None:
    s = many(201)
    for number in range(199):
        assert returned(s, f"i-{number}").quota_spent
    quote = quoted(s, "i-199")
    assert [violation.code for violation in quote.violations] == [Code.RETURN_QUOTA_EXHAUSTED]
    refusal = act_on(s, quote).refused(Code.RETURN_QUOTA_EXHAUSTED)
    assert refusal.violations[0].figures == {"used": "199", "limit": "199"}
    assert refusal.violations == quote.violations
    s.give(returning("i-200"), role=Role.SUPPORT)
    assert not issued(s).quota_spent
    assert s.the_account().ordinary_returns_used == 199


def test_the_full_quota_is_another_one() -> None:
    s = many(200)
    for number in range(199):
        returned(s, f"i-{number}")
    s.give(order("o-2", line("i-new"), starts_at=s.now))
    assert returned(s, "i-new").rule is RefundRule.FIVE_DAYS_NO_REASON


def test_a_quote_spends_nothing() -> None:
    s = many(1)
    for _ in range(3):
        quoted(s, "i-0")
    assert s.the_account().ordinary_returns_used == 0


def test_it_is_spent_when_issued_though_quoted_while_free() -> None:
    s = many(200)
    for number in range(198):
        returned(s, f"i-{number}")
    last, late = quoted(s, "i-198"), quoted(s, "i-199")
    assert not late.violations
    act_on(s, last)
    act_on(s, late).refused(Code.RETURN_QUOTA_EXHAUSTED)


def test_a_restore_gives_nothing_back() -> None:
    s = many(1)
    returned(s, "i-0")
    s.give(renewal("o-2", line("i-0"), starts_at=s.now))
    s.give(RestoreInstance(instance_id="i-0", renewal_order_id="o-2"))
    assert s.the_account().ordinary_returns_used == 1
    returned(s, "i-0")
    assert s.the_account().ordinary_returns_used == 2


def test_a_redelivery_spends_nothing_more() -> None:
    s = many(1)
    quote = quoted(s, "i-0")
    command = returning("i-0", quote.quote_id, quote.amount)
    s.give(command, id="c-1")
    s.when(command, id="c-1").then()
    assert s.the_account().ordinary_returns_used == 1


def test_a_quote_for_support_lists_no_quota() -> None:
    s = many(200)
    for number in range(199):
        returned(s, f"i-{number}")
    (quote,) = s.give(QuoteInstanceReturn(instance_id="i-199"), role=Role.SUPPORT)
    assert isinstance(quote, InstanceReturnQuoted)
    assert quote.violations == ()


def test_quotas_are_each_accounts_own() -> None:
    spent = many(1)
    returned(spent, "i-0")
    other = Scenario("acct-2")
    other.state = spent.state
    other.opened()
    assert other.the_account().ordinary_returns_used == 0


def test_the_year_does_not_renew_the_quota() -> None:
    s = many(1)
    returned(s, "i-0")
    s.at(BEGIN + YEAR)
    s.give(order("o-2", line("i-9"), starts_at=s.now))
    returned(s.later(6 * DAY), "i-9")
    assert s.the_account().ordinary_returns_used == 2

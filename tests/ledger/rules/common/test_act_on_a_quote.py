"""Act on a quote: what is done is what was quoted, confirmed and acknowledged, in time and once."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.state.entities import Quote, QuoteKind
from ledger.state.reading import Key
from ledger.values.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import QuoteInstanceReturn
from ledger.vocabulary.events import InstanceReturnQuoted
from ledger.vocabulary.shapes import Parts, Role
from tests.bodies import YEAR, line, order, paid, renewal, returning
from tests.ledger.rules.instances.acts import act_on, bought, issued, no_full_refunds, quoted
from tests.scenario import START, Scenario

BEGIN = parse_instant(START)


def test_an_owner_quotes_first() -> None:
    s = bought()
    violation = s.when(returning()).refused(Code.QUOTE_REQUIRED).violations[0]
    assert violation.rule == "act_on_a_quote"
    assert violation.figures == {"command": "ReturnInstance"}


def test_support_may_act_without_a_quote_but_not_against_its_own_amount() -> None:
    s = bought(paid(100))
    s.when(returning("i-1", None, 99), role=Role.SUPPORT).refused(Code.QUOTE_CHANGED)
    s.give(returning("i-1", None, 100), role=Role.SUPPORT)
    assert issued(s).quote_id is None


def test_support_may_act_on_the_owners_quote() -> None:
    s = bought()
    assert len(act_on(s, quoted(s), role=Role.SUPPORT).outcome) == 2


def test_a_quote_is_good_for_fifteen_minutes_to_the_last_instant() -> None:
    s = bought()
    quote = quoted(s)
    assert quote.expires_at == BEGIN + 15 * MINUTE
    s.at(quote.expires_at + 1)
    violation = act_on(s, quote).refused(Code.QUOTE_EXPIRED).violations[0]
    assert violation.figures == {
        "expires_at": format_instant(quote.expires_at),
        "now": format_instant(quote.expires_at + 1),
    }
    s = bought()
    quote = quoted(s)
    assert len(act_on(s.at(quote.expires_at), quote).outcome) == 2


def test_a_quote_is_used_up_by_its_return() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1", paid(50)), line("i-2", paid(50)), starts_at=START))
    quote = quoted(s, "i-1")
    act_on(s, quote)
    again = returning("i-2", quote.quote_id, 50)
    s.when(again).refused(Code.QUOTE_USED, Code.QUOTE_CHANGED)


def test_a_refused_act_leaves_the_quote_open() -> None:
    s = bought()
    quote = quoted(s)
    s.when(returning("i-1", quote.quote_id, 1)).refused(Code.QUOTE_CHANGED)
    assert len(act_on(s, quote).outcome) == 2


def test_another_instance_than_quoted_is_a_change() -> None:
    s = Scenario(terms=no_full_refunds()).opened()
    s.give(order("o-1", line("i-1", paid(50)), line("i-2", paid(50)), starts_at=START))
    quote = quoted(s, "i-1")
    violation = s.when(returning("i-2", quote.quote_id, 50)).refused(Code.QUOTE_CHANGED)
    assert violation.violations[0].figures == {"instance_quoted": "i-1", "instance_now": "i-2"}


def test_the_confirmed_amount_is_the_quoted_one() -> None:
    s = bought(paid(141_392))
    quote = quoted(s)
    for amount, shown in ((141_391, "1413.91"), (None, "")):
        violation = s.when(returning("i-1", quote.quote_id, amount)).refused(Code.QUOTE_CHANGED)
        assert violation.violations[0].figures == {
            "confirmed_amount_quoted": shown,
            "confirmed_amount_now": "1413.92",
        }


def test_the_five_days_may_end_between_quote_and_act() -> None:
    s = bought(paid(20_000, 20_796)).at(BEGIN + 5 * DAY - 5 * MINUTE)
    quote = quoted(s)
    figures = act_on(s.at(BEGIN + 5 * DAY + 1), quote).refused(Code.QUOTE_CHANGED)
    assert figures.violations[0].figures == {
        "rule_quoted": "FIVE_DAYS_NO_REASON",
        "rule_now": "ORDINARY_RETURN",
        "amount_quoted": "407.96",
        "amount_now": "357.60",
        "parts_quoted": "cash 200.00, gift 207.96",
        "parts_now": "cash 175.31, gift 182.29",
        "confirmed_amount_quoted": "407.96",
        "confirmed_amount_now": "357.60",
    }


def test_a_full_quota_spent_in_between_is_a_change() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), line("i-2"), starts_at=START))
    s.later(HOUR)
    first, second = quoted(s, "i-1"), quoted(s, "i-2")
    act_on(s, first)
    act_on(s, second).refused(Code.QUOTE_CHANGED)


def test_a_renewal_recorded_in_between_is_a_change() -> None:
    s = bought()
    quote = quoted(s)
    s.give(renewal("o-2", starts_at=BEGIN + YEAR))
    act_on(s, quote).refused(Code.QUOTE_CHANGED)


def test_a_renewal_begun_in_between_is_a_change() -> None:
    s = bought(terms=no_full_refunds())
    s.give(renewal("o-2", line("i-1", paid(90_000)), starts_at=BEGIN + YEAR))
    quote = quoted(s.at(BEGIN + YEAR - MINUTE))
    act_on(s.at(BEGIN + YEAR), quote).refused(Code.QUOTE_CHANGED)


def test_changed_parts_of_an_equal_amount_are_a_change() -> None:
    s = bought(paid(50, 50))
    quote = quoted(s)
    key = Key(Quote, s.account, quote.quote_id)
    kept = s.state.find(Quote, s.account, quote.quote_id)
    assert kept is not None
    s.state.apply([(key, replace(kept, parts=Parts(cash=40, gift=60)))])
    figures = act_on(s, quote).refused(Code.QUOTE_CHANGED).violations[0].figures
    assert figures == {
        "parts_quoted": "cash 0.40, gift 0.60",
        "parts_now": "cash 0.50, gift 0.50",
    }
    s.state.apply([(key, replace(kept, parts=None))])
    act_on(s, quote).refused(Code.QUOTE_CHANGED)


def test_a_quote_of_another_kind_is_a_change() -> None:
    s = bought(paid(50, 50))
    quote = quoted(s)
    kept = s.state.find(Quote, s.account, quote.quote_id)
    assert kept is not None
    other = replace(kept, kind=QuoteKind.RESERVATION_REFUND, subject_id="res-1")
    s.state.apply([(Key(Quote, s.account, quote.quote_id), other)])
    figures = act_on(s, quote).refused(Code.QUOTE_CHANGED).violations[0].figures
    assert figures["instance_quoted"] == "RESERVATION_REFUND"


def test_it_must_be_acknowledged() -> None:
    s = bought()
    quote = quoted(s)
    careless = returning("i-1", quote.quote_id, quote.amount, acknowledged=False)
    violation = s.when(careless).refused(Code.NOT_ACKNOWLEDGED).violations[0]
    assert violation.figures == {"acknowledged": "false"}
    s.when(returning("i-1", acknowledged=False), role=Role.SUPPORT).refused(Code.NOT_ACKNOWLEDGED)


def test_a_redelivered_quote_is_quiet() -> None:
    s = bought()
    command = QuoteInstanceReturn(instance_id="i-1")
    assert isinstance(s.give(command, id="c-6")[0], InstanceReturnQuoted)
    s.later(DAY).when(command, id="c-6").then()


def test_a_quote_is_refused_for_the_stoppers_alone() -> None:
    s = Scenario().opened()
    s.when(QuoteInstanceReturn(instance_id="i-9")).refused(Code.NOT_FOUND)
    s = bought()
    s.when(QuoteInstanceReturn(instance_id="i-1"), role=Role.BILLING).refused(Code.FORBIDDEN)

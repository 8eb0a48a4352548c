"""Precedence: stoppers stop in their order; all else is judged together and listed in its order."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.policies import JUDGED, STOPPERS
from ledger.policies.case import Case
from ledger.terms.table import released_terms
from ledger.values.instants import HOUR, MINUTE, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import COMMANDS, DestroyIsolatedInstance, QuoteInstanceReturn
from ledger.vocabulary.events import InstanceReturnQuoted
from ledger.vocabulary.shapes import Channel, Role
from tests.bodies import line, order, paid, returning
from tests.ledger.rules.instances.acts import bought, isolation, quoted, returned
from tests.samples import sample_command
from tests.scenario import START, Scenario, with_terms

BEGIN = parse_instant(START)


def test_everything_wrong_with_a_return_is_listed_at_once() -> None:
    none_left = with_terms(
        released_terms(), full_refunds_per_account=0, ordinary_returns_per_account=0
    )
    s = Scenario(terms=none_left).opened()
    promoted = Channel.PROMOTION
    s.give(order("o-1", line("i-1", paid(50_000)), starts_at=START, channel=promoted))
    quote = quoted(s)
    wrong = returning("i-1", quote.quote_id, 1, acknowledged=False, currency="USD")
    s.later(16 * MINUTE).when(wrong).refused(
        Code.CURRENCY_MISMATCH,
        Code.RETURN_QUOTA_EXHAUSTED,
        Code.SELF_SERVICE_NOT_SUPPORTED,
        Code.QUOTE_EXPIRED,
        Code.QUOTE_CHANGED,
        Code.NOT_ACKNOWLEDGED,
    )
    unquoted = returning("i-1", acknowledged=False)
    s.when(unquoted).refused(
        Code.RETURN_QUOTA_EXHAUSTED,
        Code.SELF_SERVICE_NOT_SUPPORTED,
        Code.QUOTE_REQUIRED,
        Code.NOT_ACKNOWLEDGED,
    )


def test_a_quote_lists_what_acting_on_it_would_violate_save_the_act_itself() -> None:
    none_left = with_terms(
        released_terms(), full_refunds_per_account=0, ordinary_returns_per_account=0
    )
    s = Scenario(terms=none_left).opened()
    s.give(order("o-1", starts_at=START, channel=Channel.PROMOTION))
    (quote,) = s.give(QuoteInstanceReturn(instance_id="i-1"))
    assert isinstance(quote, InstanceReturnQuoted)
    assert [violation.code for violation in quote.violations] == [
        Code.RETURN_QUOTA_EXHAUSTED,
        Code.SELF_SERVICE_NOT_SUPPORTED,
    ]
    assert quote.amount > 0


def test_a_reused_id_comes_before_everything() -> None:
    s = Scenario()
    s.give(returning("i-9"), id="c-1")
    s.when(returning("i-8"), role=Role.VENDOR, id="c-1").refused(Code.COMMAND_ID_REUSED)


def test_a_wrong_state_comes_after_a_wrong_role_and_before_not_due() -> None:
    s = bought()
    returned(s)
    timer = DestroyIsolatedInstance(instance_id="i-1", isolation_id="another")
    s.when(timer, role=Role.OWNER).refused(Code.FORBIDDEN)
    s.when(timer).refused(Code.WRONG_STATE)
    current = DestroyIsolatedInstance(instance_id="i-1", isolation_id=isolation(s).isolation_id)
    s.later(HOUR).when(current).refused(Code.NOT_DUE)


def test_a_stopper_stands_alone() -> None:
    s = bought()
    returned(s)
    s.when(returning("i-1", acknowledged=False)).refused(Code.WRONG_STATE)


def test_no_policy_stands_twice() -> None:
    policies = [policy for policy, _ in (*STOPPERS, *JUDGED)]
    assert len(set(policies)) == len(policies)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_policy_has_nothing_to_say_outside_its_scope(name: str) -> None:
    """Nothing that the command names exists: a policy that looked for it would say so, or break."""
    s = Scenario().opened()
    given = sample_command(COMMANDS[name])
    meta = replace(given.meta, account_id=s.account)
    case = Case(
        given=replace(given, meta=meta),
        digest=bytes(32),
        now=s.now,
        terms=released_terms().at(s.now),
        state=s.state,
    )
    outside = [policy for policy, scope in (*STOPPERS, *JUDGED) if COMMANDS[name] not in scope]
    assert [said for policy in outside for said in policy(case)] == []

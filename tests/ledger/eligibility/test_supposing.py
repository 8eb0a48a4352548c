"""Supposing leaves the state as it is, and nobody's command is taken for another's."""

from __future__ import annotations

from ledger.eligibility.supposing import Supposed, supposed, supposed_command
from ledger.state.entities import Account, Instance, Purchase, PurchaseStatus, SeenCommand, Stream
from ledger.vocabulary.commands import QuoteInstanceReturn
from ledger.vocabulary.events import InstanceReturnQuoted
from ledger.vocabulary.shapes import Actor, Role
from ledger.vocabulary.validation import problems_of
from tests.ledger.rules.instances.acts import bought
from tests.ledger.rules.marketplace import stories as marketplace
from tests.scenario import Scenario

OWNER = Actor(id="u-1", role=Role.OWNER)


def test_the_id_of_a_supposed_command_can_be_nobodys() -> None:
    given = supposed_command("acct-1", OWNER, QuoteInstanceReturn(instance_id="i-1"))
    (problem,) = problems_of(given)
    assert problem.path == "meta.command_id"


def test_its_events_follow_those_of_the_account_and_have_no_place() -> None:
    s = bought()
    given = supposed_command(s.account, OWNER, QuoteInstanceReturn(instance_id="i-1"))
    (event,) = supposed(given, state=s.state, now=s.now, terms=s.terms.at(s.now))
    assert isinstance(event.body, InstanceReturnQuoted)
    assert (event.meta.sequence, event.meta.log_sequence) == (3, -1)
    assert event.meta.recorded_at == s.now


def test_where_there_is_no_account_yet_the_refusal_would_be_its_first_event() -> None:
    s = Scenario()
    given = supposed_command("acct-1", OWNER, QuoteInstanceReturn(instance_id="i-1"))
    (event,) = supposed(given, state=s.state, now=s.now, terms=s.terms.at(s.now))
    assert event.meta.sequence == 1


def test_a_command_that_was_decided_leads_to_nothing_more() -> None:
    s = bought()
    quote = s.command(QuoteInstanceReturn(instance_id="i-1"), id="c-1")
    s.give(QuoteInstanceReturn(instance_id="i-1"), id="c-1")
    assert supposed(quote, state=s.state, now=s.now, terms=s.terms.at(s.now)) == ()


def test_what_is_supposed_lies_over_the_state_and_not_in_it() -> None:
    s = marketplace.bought()
    before = s.state.entities()
    given = supposed_command(s.account, Actor(id="u-1", role=Role.BUYER), marketplace.application())
    over = Supposed(s.state)
    over.take(supposed(given, state=s.state, now=s.now, terms=s.terms.at(s.now)))
    found = over.find(Purchase, s.account, "p-1")
    assert found is not None
    assert found.status is PurchaseStatus.REFUND_PENDING
    assert over.find(Account, s.account, "") != s.the_account()
    assert over.find(Instance, s.account, "i-404") is None
    assert over.find(SeenCommand, s.account, given.meta.command_id) is not None
    assert over.find(Stream, s.account, "") == Stream(sequence=3, facts=3)
    assert s.state.entities() == before


def test_another_kind_of_entity_of_the_same_id_is_not_mistaken() -> None:
    s = marketplace.bought()
    over = Supposed(s.state)
    assert over.find(Instance, s.account, "p-1") is None
    assert over.find(Purchase, "acct-2", "p-1") is None

"""Every command of an owner or a buyer is in the table of acts, or it is said why it is not."""

from __future__ import annotations

import pytest

from ledger.eligibility import Asking, judged
from ledger.eligibility.acts import OF_INSTANCES, OF_PURCHASES, OF_RESERVATIONS, Act, Subject, T
from ledger.state import Key
from ledger.state.entities import Account, Instance, Purchase, Reservation
from ledger.terms.table import released_terms
from ledger.values.refusal import Code
from ledger.vocabulary.commands import COMMANDS, ROLES, Command
from ledger.vocabulary.fields import fields_of
from ledger.vocabulary.shapes import Role
from tests.samples import sample
from tests.scenario import Scenario

NO_ACT_OF_A_THING: dict[str, str] = {
    "QuoteInstanceDowngrade": "what it brings depends on the configuration a person chooses",
    "DowngradeInstance": "is quoted first, with that configuration",
}
"""Commands of an owner or a buyer that no thing of an account takes, each with the reason."""


def told() -> dict[str, type[Command]]:
    """Act → the command that is asked in its stead."""
    return {
        **_asked(OF_INSTANCES, sample(Instance)),
        **_asked(OF_PURCHASES, sample(Purchase)),
        **_asked(OF_RESERVATIONS, sample(Reservation)),
    }


def _asked(acts: tuple[Act[T], ...], it: T) -> dict[str, type[Command]]:
    one = Subject(
        account_id="acct-1",
        id="x-1",
        it=it,
        currency="USD",
        usd_rate="1",
        terms=released_terms().at(0),
    )
    return {each.act.__name__: type(each.asks(one)) for each in acts}


def test_every_command_of_an_owner_or_a_buyer_is_told_or_has_its_reason() -> None:
    theirs = {name for name, kind in COMMANDS.items() if ROLES[kind] & {Role.OWNER, Role.BUYER}}
    there = {*told(), *(kind.__name__ for kind in told().values())}
    assert theirs - there == set(NO_ACT_OF_A_THING)


def test_only_their_commands_are_told() -> None:
    for act, asked in told().items():
        assert ROLES[COMMANDS[act]] & {Role.OWNER, Role.BUYER}
        assert ROLES[asked] & {Role.OWNER, Role.BUYER}


def test_an_act_that_is_quoted_first_is_asked_by_its_quote() -> None:
    for act, asked in told().items():
        if "quote_id" in {field.name for field in fields_of(COMMANDS[act])}:
            assert asked.__name__.startswith("Quote")


def test_what_a_person_must_give_is_a_field_of_the_command() -> None:
    for acts in (OF_INSTANCES, OF_PURCHASES, OF_RESERVATIONS):
        for each in acts:
            assert set(each.to_give) <= {field.name for field in fields_of(each.act)}
            assert bool(each.to_give) or not each.answered_by_it
            assert each.answered_by_it <= set(Code)


def test_what_is_no_thing_of_an_account_is_not_judged() -> None:
    s = Scenario().opened()
    asking = Asking(now=s.now, terms=s.terms.at(s.now), usd_rate="1")
    with pytest.raises(TypeError, match="no thing that an account holds"):
        judged(s.state, [Key(Account, s.account, "")], asking)

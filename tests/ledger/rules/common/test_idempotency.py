"""Idempotency: a command id means one content, for ever."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.state.entities import RefusedReuse, SeenCommand
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ChangeCard, SetAccountStanding
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.events import AccountStandingChanged, CommandRefused
from ledger.vocabulary.shapes import Actor, Role
from tests.bodies import YEAR, order, returning
from tests.scenario import START, Scenario

ARREARS = SetAccountStanding(in_arrears=True)


def test_the_same_content_again_is_nothing_new_even_years_later() -> None:
    s = Scenario().opened()
    s.when(ARREARS, id="c-1").then(AccountStandingChanged(in_arrears=True))
    s.when(ARREARS, id="c-1").then()
    s.later(5 * YEAR).when(ARREARS, id="c-1").then()


def test_other_content_under_the_same_id_is_refused_once() -> None:
    s = Scenario().opened()
    s.give(ARREARS, id="c-1")
    other = SetAccountStanding(in_arrears=False)
    refusal = s.when(other, id="c-1").refused(Code.COMMAND_ID_REUSED)
    assert refusal.violations[0].figures == {"command_id": "c-1", "first_sequence": "2"}
    s.when(other, id="c-1").then()
    s.when(ChangeCard(card_id="k-1"), id="c-1").refused(Code.COMMAND_ID_REUSED)
    s.when(ChangeCard(card_id="k-1"), id="c-1").then()
    s.when(ARREARS, id="c-1").then()
    assert s.the_account().in_arrears


def test_another_actor_makes_it_other_content() -> None:
    s = Scenario().opened()
    s.give(ARREARS, id="c-1", actor_id="u-1")
    s.when(ARREARS, id="c-1", actor_id="u-2").refused(Code.COMMAND_ID_REUSED)
    s.when(ARREARS, id="c-1", role=Role.SUPPORT).refused(Code.COMMAND_ID_REUSED)


def test_a_refused_command_is_remembered_too() -> None:
    s = Scenario().opened()
    command = returning("i-1")
    s.when(command, role=Role.SUPPORT, id="c-1").refused(Code.NOT_FOUND)
    s.give(order("o-1", starts_at=START))
    s.when(command, role=Role.SUPPORT, id="c-1").then()
    assert len(s.give(command, role=Role.SUPPORT, id="c-2")) == 2


def test_an_account_that_is_not_there_remembers_as_well() -> None:
    s = Scenario()
    s.when(ARREARS, id="c-1").refused(Code.NOT_FOUND)
    s.when(ARREARS, id="c-1").then()
    s.opened().when(ARREARS, id="c-1").then()
    assert not s.the_account().in_arrears


def test_the_first_outcome_is_found_by_the_id() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START))
    s.give(returning("i-1"), role=Role.SUPPORT, id="c-7")
    seen = s.state.find(SeenCommand, "acct-1", "c-7")
    assert seen is not None
    assert s.recorded[seen.sequence - 1].name == "InstanceIsolated"


def test_each_refused_reuse_of_an_id_is_kept_apart_and_leaves_the_first_outcome_as_it_was() -> None:
    s = Scenario().opened()
    s.give(returning("i-1"), role=Role.SUPPORT, id="c-7")
    first = s.state.find(SeenCommand, "acct-1", "c-7")
    for instance_id in ("i-2", "i-3", "i-2", "i-3"):
        s.give(returning(instance_id), role=Role.SUPPORT, id="c-7")
    assert s.state.find(SeenCommand, "acct-1", "c-7") == first
    kept = [key for key in s.state.entities() if key.kind is RefusedReuse]
    assert len(kept) == len(set(kept)) == 2


def test_ids_are_each_accounts_own() -> None:
    s, other = Scenario().opened(), Scenario("acct-2")
    other.state = s.state
    s.give(ARREARS, id="c-1")
    other.opened().when(SetAccountStanding(in_arrears=False), id="c-1").then(
        AccountStandingChanged(in_arrears=False)
    )


def test_the_digest_covers_name_actor_and_body_and_nothing_else() -> None:
    given = Scenario().command(ARREARS, id="c-1")
    digest = command_digest(given)
    elsewhere = replace(given.meta, command_id="c-2", causation_id="e-1", correlation_id="x")
    assert command_digest(replace(given, meta=elsewhere)) == digest
    someone = replace(given.meta, actor=Actor(id="u-9", role=Role.BILLING))
    assert command_digest(replace(given, meta=someone)) != digest
    assert command_digest(replace(given, body=SetAccountStanding(in_arrears=False))) != digest


def test_the_digest_is_pinned_for_ever() -> None:
    given = Scenario().command(returning("i-1", "q-1", 38_780), id="c-1")
    assert command_digest(given).hex() == (
        "6a6948c145ad8f92ab6870598ea75e2f0030740ec19988bcb48a502e2643a06f"
    )


def test_a_refusal_changes_nothing_but_what_was_seen() -> None:
    s = Scenario().opened()
    before = {key: value for key, value in s.state.entities().items() if key.entity_id != "c-1"}
    s.when(returning(), id="c-1").refused(Code.NOT_FOUND)
    assert isinstance(s.outcome[0], CommandRefused)
    after = {key: value for key, value in s.state.entities().items() if key.entity_id != "c-1"}
    changed = {key.kind.__name__ for key in after if after[key] != before.get(key)}
    assert changed == {"Stream"}

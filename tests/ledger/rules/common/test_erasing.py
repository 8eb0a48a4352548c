"""An erasure is a fact about an account, ordered by support; no rule reads a text."""

from __future__ import annotations

from ledger.values.refusal import Code
from ledger.vocabulary.commands import EraseSubject
from ledger.vocabulary.events import SubjectErased
from ledger.vocabulary.shapes import Role
from ledger.vocabulary.validation import body_problems
from tests.scenario import Scenario


def test_an_erasure_is_recorded_with_the_number_and_changes_nothing_else() -> None:
    s = Scenario().opened()
    before = s.the_account()
    s.when(EraseSubject(key_number=2)).then(SubjectErased(key_number=2))
    assert s.the_account() == before


def test_a_repeat_leads_to_no_second_event() -> None:
    s = Scenario().opened()
    s.give(EraseSubject(key_number=1), id="c-9")
    assert s.give(EraseSubject(key_number=1), id="c-9") == ()


def test_an_owner_orders_no_erasure_and_an_account_that_is_not_there_has_none() -> None:
    s = Scenario().opened()
    s.when(EraseSubject(key_number=1), role=Role.OWNER).refused(Code.FORBIDDEN)
    Scenario().when(EraseSubject(key_number=1)).refused(Code.NOT_FOUND)


def test_a_number_counts_from_1() -> None:
    (problem,) = body_problems(EraseSubject(key_number=0))
    assert problem.path == "key_number"

"""An erasure is a fact about an account, ordered by support; no rule reads a text."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.values.refusal import Code
from ledger.vocabulary.commands import EraseSubject
from ledger.vocabulary.events import RefundIssued, SubjectErased
from ledger.vocabulary.shapes import Role
from ledger.vocabulary.validation import body_problems
from tests.ledger.rules.marketplace.stories import bought, ticket
from tests.scenario import Scenario


def test_an_erasure_is_recorded_with_the_number_and_changes_nothing_else() -> None:
    s = Scenario().opened()
    before = s.the_account()
    s.when(EraseSubject(key_number=1)).then(SubjectErased(key_number=1))
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


@pytest.mark.parametrize("number", [2, 3, 999_999_999])
def test_a_key_still_to_be_made_cannot_be_destroyed(number: int) -> None:
    s = Scenario().opened()
    assert _next(s, number) == "1"


def test_keys_are_destroyed_one_after_the_other_and_none_twice() -> None:
    s = Scenario().opened()
    s.give(EraseSubject(key_number=1))
    assert _next(s, 1) == "2"
    assert _next(s, 3) == "2"
    s.when(EraseSubject(key_number=2)).then(SubjectErased(key_number=2))


def test_a_text_that_comes_after_its_key_was_destroyed_is_recorded_as_erased() -> None:
    s = bought()
    s.give(EraseSubject(key_number=1))
    assert [_refunded(s, f"sealed:1:{number}:AAAA") for number in (1, 2)] == [
        "erased",
        "sealed:1:2:AAAA",
    ]
    assert _refunded(s, "T-1") == "T-1"


def test_before_an_erasure_a_text_is_recorded_as_it_came() -> None:
    assert _refunded(bought(), "sealed:1:1:AAAA") == "sealed:1:1:AAAA"


def test_such_a_text_given_again_is_the_same_command() -> None:
    s = bought()
    s.give(EraseSubject(key_number=1))
    asked = replace(ticket(100), ticket="sealed:1:1:AAAA")
    assert s.give(asked, id="c-9")
    assert s.give(asked, id="c-9") == ()


def _refunded(s: Scenario, text: str) -> str | None:
    """The ticket as it is recorded, which its working says as well."""
    (issued, *_) = s.give(replace(ticket(100), ticket=text), role=Role.SUPPORT)
    assert isinstance(issued, RefundIssued)
    (step,) = [each for each in issued.working if each.step == "manual_refund"]
    assert step.inputs["ticket"] == issued.ticket
    return issued.ticket


def _next(s: Scenario, number: int) -> str:
    """The number that the refusal names."""
    refused = s.when(EraseSubject(key_number=number)).refused(Code.WRONG_STATE)
    figures = refused.violations[0].figures
    assert figures["key_number"] == str(number)
    return figures["next"]

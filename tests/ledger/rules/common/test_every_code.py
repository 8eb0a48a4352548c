"""Every code of the closed set is reached, under a rule that has it, and its refusal told whole."""

from __future__ import annotations

import pytest

from ledger.rulebook import RULES
from ledger.values.refusal import Code
from tests.ledger.rules.common.every_code import PAGE, STORIES, refused, told


def test_there_is_a_story_for_every_code() -> None:
    assert list(STORIES) == list(Code)


@pytest.mark.parametrize("code", Code)
def test_a_code_is_reached_under_a_rule_that_has_it(code: Code) -> None:
    violations = refused(STORIES[code])
    assert code in [one.code for one in violations]
    assert all(one.code in RULES[one.rule].codes and one.figures for one in violations)


def test_every_refusal_is_told_as_it_was() -> None:
    """Rule, sentence and figures. What is meant to change is written again and read."""
    assert told() == PAGE.read_text("utf-8")

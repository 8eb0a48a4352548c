"""Redelivery: whatever came of a command, the same command once more comes to nothing."""

from __future__ import annotations

import pytest

from ledger.values.instants import MINUTE
from ledger.values.refusal import Code
from ledger.vocabulary.commands import COMMANDS
from tests.bodies import YEAR
from tests.ledger.rules.common.every_code import STORIES
from tests.ledger.state.asked import asked
from tests.ledger.state.reached import FAMILIES, Family

STATES = [
    pytest.param(family, state, id=f"{family.name}-{state}")
    for family in FAMILIES
    for state in family.states
]


@pytest.mark.parametrize(("family", "state"), STATES)
def test_every_command_in_every_state_is_decided_once(family: Family, state: str) -> None:
    for kind in COMMANDS.values():
        s = family.states[state]()
        asked(s, kind)
        after = s.state.entities()
        for wait in (0, MINUTE, 3 * YEAR):
            assert s.later(wait).again().outcome == (), kind.__name__
        assert s.state.entities() == after, kind.__name__


@pytest.mark.parametrize("code", Code)
def test_no_refusal_is_told_twice(code: Code) -> None:
    s = STORIES[code]()
    s.again().then()
    s.later(3 * YEAR).again().then()

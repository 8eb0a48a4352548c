"""The harness of stories says no when a story did not happen as told."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import QuoteInstanceReturn, SetAccountStanding
from ledger.vocabulary.events import AccountStandingChanged, LedgerOpened
from tests.bodies import order
from tests.scenario import START, Scenario


def test_a_story_is_told_and_folded() -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START))
    s.given(AccountStandingChanged(in_arrears=True))
    s.when(SetAccountStanding(in_arrears=False)).then(AccountStandingChanged(in_arrears=False))
    assert s.folded().entities() == s.state.entities()
    assert [event.meta.sequence for event in s.recorded] == [1, 2, 3, 4]


def test_what_did_not_happen_is_not_believed() -> None:
    s = Scenario().opened()
    with pytest.raises(AssertionError):
        s.when(SetAccountStanding(in_arrears=False)).then(AccountStandingChanged(in_arrears=True))
    with pytest.raises(AssertionError, match="not refused"):
        s.refused(Code.NOT_FOUND)
    with pytest.raises(AssertionError, match="NOT_FOUND"):
        s.when(QuoteInstanceReturn(instance_id="i-9")).refused(Code.WRONG_STATE)


def test_the_opening_of_a_ledger_changes_nobody() -> None:
    s = Scenario().opened()
    before = s.state.entities()
    opening = LedgerOpened(
        partition_count=12,
        topic_ids={"refunds.events.v1": "a"},
        sandbox=False,
        program_version="0",
    )
    s.given(opening)
    assert s.state.entities() == before

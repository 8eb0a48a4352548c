"""What caused an event is found by its derived id, which is derived once."""

from __future__ import annotations

from collections import Counter

import pytest

from console.web.pages.accounts import timeline
from ledger.values.ids import follow_up_id
from ledger.vocabulary.shapes import Role
from tests.console.web.pages.conftest import EXAMPLES, events_of

EXCHANGED = next(each for each in EXAMPLES if "settlement-exchange" in each.name)


def test_each_event_is_asked_once_what_it_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[tuple[object, ...]] = Counter()

    def counted(*what: object) -> str:
        asked[what] += 1
        return follow_up_id(*what)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(timeline, "follow_up_id", counted)
    events = events_of(EXCHANGED)
    found = timeline._causes([*events, *events])
    by_system = {each.meta.causation_id for each in events if each.meta.actor.role is Role.SYSTEM}
    assert found.keys() == by_system
    assert len(by_system) > 1
    assert set(asked.values()) == {1}
    effects = [effect.meta.sequence for _, effect in found.values()]
    assert effects == sorted(effects)

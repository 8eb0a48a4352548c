"""Every event and every kind of cell can be told to people."""

from __future__ import annotations

import pytest

from console.rendering.reports.answers import cell_text
from console.rendering.sentences.events import sentence, told
from ledger.vocabulary.events import EVENTS
from projector.asking.queries import Cell
from projector.questions import Column, Kind
from tests.samples import sample_event


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_a_sentence_on_one_line(name: str) -> None:
    event = sample_event(EVENTS[name])

    assert sentence(event.body)
    assert name in told(event)
    assert "\n" not in told(event)


@pytest.mark.parametrize(
    ("name", "kind", "cell", "text"),
    [
        ("any", Kind.TEXT, None, ""),
        ("any", Kind.FLAG, True, "yes"),
        ("any", Kind.FLAG, False, "no"),
        ("any", Kind.NUMBER, 1234, "1234"),
        ("any", Kind.MONEY, "-0.50", "-0.50"),
        ("any", Kind.TEXTS, ("a", "b"), "a, b"),
        ("any", Kind.JSON, {"days": "5"}, '{"days": "5"}'),
        ("any", Kind.SPAN, 7 * 86_400, "7 d 0 h"),
        ("any", Kind.SPAN, 5_400, "1 h 30 min"),
        ("any", Kind.INSTANT, "2026-01-05T08:00:00Z", "2026-01-05 08:00:00"),
        ("refund_id", Kind.TEXT, "2ebbf519-5b7c-8d98-beff-eb94fed150d6", "2ebbf519…"),
        ("account_id", Kind.TEXT, "acct-1", "acct-1"),
    ],
)
def test_a_cell_is_shown_as_people_read_it(name: str, kind: Kind, cell: Cell, text: str) -> None:
    assert cell_text(Column(name=name, kind=kind), cell) == text

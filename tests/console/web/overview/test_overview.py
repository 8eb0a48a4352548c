"""The overview counts what the views have, and each figure leads to as many rows."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from fastapi.testclient import TestClient

from console.web.pages.overview.figures import SHARE, Counted, Figures
from console.web.pages.overview.pictures import HEIGHT, WIDTH, stacked
from tests.console.web.browser import BROWSER
from tests.console.web.stories import refunded
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)
FIGURE = re.compile(r'<td class="number"><a href="([^"]+)">(\d+)</a></td>')


def nothing(day: int) -> Figures:
    """Figures without any."""
    return Figures(
        last_day=date(2026, 1, day),
        refunds=(),
        on_their_way=(),
        in_the_bin=(),
        refusals=(),
        of_the_cap=(),
    )


def test_every_figure_leads_to_as_many_rows(client: TestClient) -> None:
    refunded(client, "over-1")
    refunded(client, "over-2")
    give(client, "over-1", "OpenAccount", OPENING, "again")
    told = client.get("/", headers=BROWSER).text
    assert "<svg" in told
    figures = FIGURE.findall(told)
    assert len(figures) >= 2
    for link, count in figures:
        rows = client.get(unescape(link).replace("?", "/rows.jsonl?", 1)).text.splitlines()
        assert len(rows) == int(count), link
        shown = client.get(unescape(link), headers=BROWSER).text
        assert shown.count("<tr>") == int(count) + 1, link


def test_nothing_refunded_is_said_in_words() -> None:
    assert stacked([], date(2026, 1, 14), 14) is None


def test_bars_stand_on_each_other_in_the_slot_of_their_day() -> None:
    found = stacked([(date(2026, 1, 14), {"b": 1, "a": 3})], date(2026, 1, 14), 14)
    assert found is not None
    assert found.series == ("a", "b")
    below, above = found.bars
    assert (below.words, below.count, above.count) == ("2026-01-14 a", 3, 1)
    assert below.y + below.height == HEIGHT
    assert above.y == 0
    assert above.y + above.height == below.y
    assert below.x > WIDTH * 13 / 14
    assert len(found.labels) == 7


def test_figures_are_counted_anew_when_the_log_has_moved_but_not_all_the_time() -> None:
    now = [0.0]
    counted, asked = Counted(lambda: now[0]), iter(range(1, 9))

    def count() -> Figures:
        now[0] += 1.0
        return nothing(next(asked))

    first = counted.at("0:1", count)
    now[0] += 100 * SHARE
    assert counted.at("0:1", count) is first
    second = counted.at("0:2", count)
    assert second is not first
    assert counted.at("0:3", count) is second
    now[0] += SHARE + 1
    assert counted.at("0:3", count) is not second

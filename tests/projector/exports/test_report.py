"""The report of a period: its figures are those of the views, and its files say what they show."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from ledger.values.instants import DAY, HOUR
from projector.exports.period import BadPeriod
from projector.report.figures import CapUse, Figures, Refunded, figures
from projector.report.pictures import pictures
from projector.report.writing import ReportFormat, render
from tests.projector.exports.conftest import HUGE, story_told
from tests.projector.stories import START

END = story_told().now + 1


def figure_set() -> Figures:
    """Figures of three months, the middle one without a refund, under names that need escaping."""
    refunded = [
        Refunded(currency="CNY", month=m, rule="ORDINARY_RETURN", amount=Decimal(a), refunds=1)
        for m, a in (("2025-12", "407.96"), ("2026-02", "100.04"))
    ]
    return Figures(
        since="2025-12-01T00:00:00Z",
        until="2026-03-01T00:00:00Z",
        refunded=tuple(refunded),
        caps=(CapUse(account_id="<b>&", used_usd=Decimal(50_001), cap_usd=Decimal(50_000)),),
        binned=(),
        refused=(),
        log_position={0: 12, 1: 1},
    )


def test_the_figures_are_those_of_the_views(shown: str) -> None:
    found = figures(shown, START, END)
    by_currency = {each.currency: each.amount for each in found.refunded}
    assert by_currency["JPY"] == HUGE + 500
    assert [(each.rule, each.refusals) for each in found.refused] == [
        ("act_on_a_quote", 1),
        ("return_quota", 1),
    ]
    assert sum(each.instances for each in found.binned) >= 0
    assert sum(found.log_position.values()) > 20


def test_a_period_that_could_still_get_events_is_refused(shown: str) -> None:
    with pytest.raises(BadPeriod, match="the read models are complete only up to"):
        figures(shown, START, END + 30 * DAY)


def test_the_same_period_gives_the_same_bytes(shown: str) -> None:
    for wanted in ReportFormat:
        one = render(figures(shown, START, END), wanted)
        assert one == render(figures(shown, START, END), wanted)
        assert one != render(figures(shown, START, START + 9 * HOUR), wanted)


def test_titles_say_what_is_seen() -> None:
    assert [picture.title for picture in pictures(figure_set())] == [
        "508.00 CNY went back, most of it by ordinary return",
        "<b>& has used the most of its cap; 1 account is over theirs",
        "The recycle bin is empty",
        "Nothing was refused",
    ]


def test_the_page_stands_alone_and_names_its_origin() -> None:
    told = figure_set()
    page = render(told, ReportFormat.HTML).decode()
    svgs = [part.partition("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert len(svgs) == 2
    for svg in svgs:
        ElementTree.fromstring("<svg" + svg)
    assert "2026-01" in svgs[0], "a month without a refund is a month all the same"
    assert told.digest in page
    assert "Events by partition of the log 0: 12, 1: 1" in page
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert [word for word in ("<script", "<link", "src=", "@import") if word in page] == []


def test_pdf_and_png_are_what_they_are_called() -> None:
    assert render(figure_set(), ReportFormat.PDF).startswith(b"%PDF-")
    assert render(figure_set(), ReportFormat.PNG).startswith(b"\x89PNG")


def test_without_matplotlib_the_step_to_install_it_is_told() -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from projector.report.writing import ReportFormat, render\n"
        "render(None, ReportFormat.PDF)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "a report needs matplotlib" in done.stderr
    assert "pip install 'refund-ledger[report]'" in done.stderr

"""A closed period gives the same bytes for ever; one that is not closed is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.values.instants import DAY, HOUR, format_instant
from projector.asking.queries import UnknownAccount
from projector.exports.cells import Cell
from projector.exports.extract import Request, extract
from projector.exports.period import BadPeriod, UnknownView
from projector.exports.writing import Format, export
from projector.rebuilding.rebuild import rebuild
from projector.views import VIEWS
from tests.projector.exports.conftest import show, story_told
from tests.projector.stories import START, MemorySource, Story, credited, issued, opened

CLOSED = ("statement", "postings", "refusals", "outcomes", "balances", "annual_refund_totals")


def test_a_closed_period_gives_the_same_bytes_after_more_events_and_a_rebuild(
    migrated: str, tmp_path: Path
) -> None:
    story, source, known = shown_story(migrated)
    until = story.now
    before = exported(migrated, tmp_path / "before", until)
    story.command("acct-9", opened("CNY"))
    story.command("acct-1", issued("r-late", "i-2", 700, 0), credited("r-late", 700, 0))
    show(migrated, story, known, source)
    rebuild(migrated, source, VIEWS)
    assert exported(migrated, tmp_path / "after", until) == before
    assert exported(migrated, tmp_path / "later", story.now + 1) != before


def test_a_closed_period_gives_the_same_bytes_once_its_refunds_have_left_the_year(
    migrated: str, tmp_path: Path
) -> None:
    story, source, known = shown_story(migrated)
    until = story.now
    before = exported(migrated, tmp_path / "before", until)
    story.now += 400 * DAY
    for number in range(20):  # every partition goes on, so that the new present is known
        story.command(f"later-{number}", opened("CNY"))
    show(migrated, story, known, source)
    whole = rows_of(migrated, view="annual_refund_totals")
    assert {row[2] for row in whole} == {0}, "every refund has left the year by now"
    assert exported(migrated, tmp_path / "after", until) == before


def shown_story(conninfo: str) -> tuple[Story, MemorySource, dict[int, int]]:
    """The story, shown; and how many events of each partition that were."""
    story = story_told()
    source = MemorySource(story.partition_count)
    show(conninfo, story, None, source)
    return story, source, {partition: len(values) for partition, values in story.values.items()}


def exported(conninfo: str, folder: Path, until: int) -> dict[str, bytes]:
    """Every file of every format, of every view that has a past."""
    folder.mkdir()
    for view in CLOSED:
        for wanted in Format:
            if wanted is not Format.BEANCOUNT or view == "postings":
                asked = Request(view=view, since=None, until=until)
                export(conninfo, asked, wanted, folder / f"{view}.{wanted}")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows_of(conninfo: str, **asked: Any) -> list[list[Cell]]:
    found = extract(conninfo, Request(**asked))
    with found.spool:
        return list(found)


def test_periods_side_by_side_hold_every_row_once(shown: str) -> None:
    whole = rows_of(shown, view="postings")
    cut = START + 8 * HOUR
    parts = [
        *rows_of(shown, view="postings", until=cut),
        *rows_of(shown, view="postings", since=cut),
    ]
    assert len(whole) > 10
    assert sorted(parts, key=str) == sorted(whole, key=str)
    assert 0 < len(rows_of(shown, view="postings", until=cut)) < len(whole)


def test_an_account_has_its_own_rows_alone(shown: str) -> None:
    found = rows_of(shown, view="statement", account="acct-1")
    assert {row[0] for row in found} == {"acct-1"}


def test_a_period_that_could_still_get_rows_is_refused(shown: str) -> None:
    future = START + 100_000 * HOUR
    with pytest.raises(BadPeriod, match=f"ends at {format_instant(future)}, but the read models a"):
        extract(shown, Request(view="postings", until=future))


def test_a_view_that_knows_no_period_says_so(shown: str) -> None:
    with pytest.raises(BadPeriod, match="view quotas has no periods; leave out --from and --to"):
        extract(shown, Request(view="quotas", since=START))


def test_an_unknown_view_and_an_unknown_account_are_named(shown: str) -> None:
    with pytest.raises(UnknownView, match="there is no view 'refundz'; did you mean 'refunds'"):
        extract(shown, Request(view="refundz"))
    with pytest.raises(UnknownAccount, match="account nobody: the read models have none"):
        extract(shown, Request(view="refunds", account="nobody"))

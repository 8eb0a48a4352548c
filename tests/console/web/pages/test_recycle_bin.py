"""The recycle bin: deadlines, the time left, and the two ways out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest

from tests.console.web.pages.conftest import Shown, main_of

pytestmark = pytest.mark.timeout(300)
OPEN = """
SELECT account_id, instance_id, to_char(restore_until AT TIME ZONE 'UTC', %s)
FROM finance.recycle_bin WHERE state = 'ISOLATED'
ORDER BY restore_until, account_id, isolation_id
"""
ISOLATIONS = "SELECT isolation_id FROM finance.recycle_bin"
MICROS = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'


@pytest.fixture
def waiting(shown: Shown) -> Iterator[None]:
    """One instance is in the bin, with two days to go by the sandbox's clock."""
    shown.rows(
        "UPDATE read_models.recycle_bin SET state = 'ISOLATED', averted_by = NULL, destroyed_at ="
        " NULL, destroyed_because = NULL, restore_until = (SELECT now_at FROM"
        " consumers.sandbox_clock) + 172800000000 WHERE account_id = 'a/b' AND instance_id = 'i-1'"
    )
    yield
    shown.rows(
        "UPDATE read_models.recycle_bin SET state = 'DESTROYED', destroyed_at = restore_until"
        " WHERE account_id = 'a/b' AND instance_id = 'i-1'"
    )


def test_what_waits_stands_with_its_deadline_and_its_two_ways_out(
    shown: Shown, waiting: None
) -> None:
    wanted = shown.rows(OPEN, MICROS)
    assert wanted
    page = main_of(shown.page("/recycle-bin"))
    rows = re.findall(r'<tr id="stay-[^"]+">(.*?)</tr>', page, re.DOTALL)
    assert len(rows) == len(wanted)
    for row, (account, instance, until) in zip(rows, wanted, strict=True):
        ways = [unescape(each) for each in re.findall(r'href="([^"]*/acts/[^"]+)"', row)]
        there = f"/accounts/{quote(account, safe='')}/acts"
        assert ways[0].startswith(f"{there}/RestoreInstance?thing={instance}")
        assert ways[1] == f"{there}/TakeInstanceOffline?thing={instance}"
        assert until.rstrip("Z") in row


def test_the_time_left_stands_as_text_and_runs_until_the_deadline(
    shown: Shown, waiting: None
) -> None:
    page = main_of(shown.page("/recycle-bin?account=a%2Fb"))
    told = re.search(
        r'<time class="countdown" datetime="([^"]+)" data-until="([^"]+)">2 d 00:00:00</time>', page
    )
    assert told is not None
    (until,) = (row[2] for row in shown.rows(OPEN, MICROS) if row[0] == "a/b")
    assert told[1] == told[2]
    assert told[1].startswith(until.rstrip("Z"))


def test_a_stay_that_has_ended_has_no_way_out(shown: Shown) -> None:
    page = main_of(shown.page("/recycle-bin?account=acct-five-days&state=DESTROYED"))
    assert '<tr id="stay-' in page
    assert "/acts/" not in page


def test_the_list_has_the_state_of_the_page(shown: Shown) -> None:
    page = main_of(shown.page("/recycle-bin?account=acct-five-days&state=DESTROYED"))
    assert '"/lists/recycle-bin?account=acct-five-days&amp;state=DESTROYED"' in page


def test_the_refund_of_a_return_is_the_views_and_leads_to_it(shown: Shown) -> None:
    (row,) = shown.rows(
        "SELECT refund_id, refund_amount::text FROM finance.recycle_bin"
        " WHERE account_id = 'acct-five-days' AND instance_id = 'i-1'"
    )
    page = main_of(shown.page("/recycle-bin?account=acct-five-days&state=ALL"))
    assert (
        f'/refunds/{row[0]}?account=acct-five-days"><data class="amount" value="{row[1]}"' in page
    )


def test_the_past_shows_who_was_in_the_bin_then_without_buttons(shown: Shown) -> None:
    ((at,),) = shown.rows(
        "SELECT to_char(isolated_at AT TIME ZONE 'UTC', %s) FROM finance.recycle_bin"
        " WHERE account_id = 'acct-five-days' AND instance_id = 'i-1'",
        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"',
    )
    page = main_of(shown.page(f"/recycle-bin?account=acct-five-days&as_of={at}"))
    assert page.count('<tr id="stay-') == 1
    assert "7 d 00:00:00" in page
    assert "data-until" not in page
    assert "/acts/" not in page


def test_the_pages_lead_through_all_of_them(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.web.pages.accounts.recycle_bin.ROWS", 3)
    path, found = "/recycle-bin?state=ALL", []
    while path:
        page = main_of(shown.page(path))
        found += re.findall(r'<tr id="stay-([^"]+)">', page)
        there = re.search(r'<a rel="next" href="([^"]+)"', page)
        path = unescape(there[1]) if there else ""
    ((count,),) = shown.rows("SELECT count(*) FROM finance.recycle_bin")
    assert len(found) == count > 3
    assert set(found) == {each for (each,) in shown.rows(ISOLATIONS)}


@pytest.mark.parametrize(
    ("asked", "status"),
    [("state=LOST", 400), ("cursor=x", 400), ("as_of=then", 400), ("account=nobody", 404)],
)
def test_what_cannot_be_shown_is_named(shown: Shown, asked: str, status: int) -> None:
    assert '<a href="/">' in shown.page(f"/recycle-bin?{asked}", status)

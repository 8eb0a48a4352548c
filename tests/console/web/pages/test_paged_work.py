"""What waits for a person, or for a second one, is shown whole: some at a time, by cursors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import psycopg
import pytest

from console.web.api.cursors import cursor_of
from console.web.approving.proposals import decline, propose
from console.web.pages.signing_in import approvals
from console.web.pages.work import tasks
from ledger.vocabulary.commands import RefundMarketplaceManually
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from tests.console.web.pages.conftest import Shown, main_of

NEXT = re.compile(r'rel="next" href="([^"]+)"')
WAITING = [f"w-{number}" for number in range(5)]
DECLINED = [f"d-{number}" for number in range(3)]
OVER = [*DECLINED, "d-3"]
"""The last of them was not decided in time."""
_OVERPAID_AGAIN = """
INSERT INTO read_models.outcomes SELECT more.* FROM finance.overpaid_refunds p
JOIN read_models.outcomes o
    ON o.partition = p.partition AND o.log_sequence IN (p.log_sequence, p.log_sequence + 1),
    generate_series(1, 2) n,
    jsonb_populate_record(o, jsonb_build_object('sequence', o.sequence + 1000 * n,
        'log_sequence', o.log_sequence + 100000 * n, 'event_id', gen_random_uuid())) more
"""


def given(command_id: str) -> GivenCommand:
    body = RefundMarketplaceManually(purchase_id="p", ticket="t", amount=100, currency="CNY")
    actor = Actor(id="anna", role=Role.SUPPORT)
    meta = CommandMeta(command_id=command_id, account_id="acct-ordinary", actor=actor)
    return GivenCommand(meta=meta, body=body)


@pytest.fixture
def proposed(shown: Shown) -> Iterator[None]:
    """Some proposals, of which two were made at the same instant."""
    with psycopg.connect(shown.database_url, autocommit=True) as connection:
        for command_id in (*WAITING, *OVER):
            found = propose(connection, given(command_id), "above", "anna", 1)
            if command_id in DECLINED:
                decline(connection, found.key, "bert")
        connection.execute(
            "UPDATE web.proposals SET proposed_at = (SELECT proposed_at FROM web.proposals"
            " WHERE command_id = 'w-2') WHERE command_id = 'w-3'"
        )
        connection.execute(
            "UPDATE web.proposals SET waits_until = now() WHERE command_id = %s", (OVER[-1],)
        )
    yield
    shown.rows("DELETE FROM web.proposals")


IN_ORDER = ["w-4", "w-2", "w-3", "w-1", "w-0"]


@pytest.mark.usefixtures("proposed")
def test_links_lead_through_all_that_was_proposed(shown: Shown) -> None:
    for asked, wanted in (
        ("waiting=true", IN_ORDER),
        ("waiting=false", [*OVER[::-1], *IN_ORDER]),
    ):
        url: str | None = f"/v1/approvals?limit=2&{asked}"
        found: list[str] = []
        while url:
            page = shown.client.get(url)
            assert len(page.json()["proposals"]) <= 2
            found += [each["command_id"] for each in page.json()["proposals"]]
            assert ("next" in page.links) == (page.json()["next"] is not None)
            url = page.links.get("next", {}).get("url")
        assert found == wanted


@pytest.mark.usefixtures("proposed")
def test_the_page_of_what_waits_goes_on(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "ROWS", 2)
    for name, wanted in (("waiting", IN_ORDER), ("decided", OVER[::-1])):
        found: list[str] = []
        path = "/approvals"
        while path:
            page = main_of(shown.page(path))
            found += [
                each for each in re.findall(r"<code>([wd]-\d)</code>", page) if each in wanted
            ]
            links = [unescape(each) for each in NEXT.findall(page)]
            path = next((each for each in links if re.search(rf"\?{name}=[^&]+$", each)), "")
        assert found == wanted


@pytest.mark.parametrize("part", ["tasks", "held", "overpaid"])
def test_each_part_of_the_work_goes_on(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    if part == "overpaid":
        shown.rows(_OVERPAID_AGAIN)
    row = re.compile(r'<th scope="row"><a href="([^"]+)"')
    whole = main_of(shown.page(f"/work?part={part}"))
    wanted = row.findall(whole)
    assert len(wanted) > 1
    assert not NEXT.findall(whole)
    monkeypatch.setattr(tasks, "ROWS", 1)
    found: list[str] = []
    path = f"/work?part={part}"
    while path:
        page = main_of(shown.page(path))
        found += row.findall(page)
        path = unescape(next(iter(NEXT.findall(page)), ""))
    assert found == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/work?part=lost",
        "/work?part=held&cursor=x",
        f"/work?part=tasks&cursor={cursor_of('work-tasks', ('no instant', 'a', '1'))}",
        f"/approvals?waiting={cursor_of('approvals-waiting', ('2026-01-01',))}",
        f"/approvals?decided={cursor_of('approvals-waiting', ('2026-01-01', 'a', 'c'))}",
    ],
)
def test_a_cursor_of_nothing_is_refused(shown: Shown, path: str) -> None:
    assert '<a href="/">' in shown.page(path, 400)

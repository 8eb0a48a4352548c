"""Work to do: what waits, who has taken it, and that no two do the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from console.web.pages.work.waiting import holder
from tests.console.web.browser import BROWSER
from tests.console.web.pages.conftest import Shown, main_of

pytestmark = pytest.mark.timeout(300)
Task = tuple[str, str, str]


@pytest.fixture(autouse=True)
def nobody_has_anything(shown: Shown) -> Iterator[None]:
    yield
    shown.rows("DELETE FROM web.work")
    shown.rows("DELETE FROM web.tasks_done")


@pytest.fixture
def task(shown: Shown) -> Task:
    """Account, refund and id of a support task that stays until it is done."""
    found = shown.rows(
        "SELECT account_id, body ->> 'refund_id', body ->> 'task_id' FROM finance.events"
        " WHERE event_name = 'SupportTaskOpened' AND body ->> 'reason' = 'PAID_TWICE'"
    )
    account, refund, task_id = found[0]
    return account, refund, task_id


def post(shown: Shown, headers: dict[str, str], what: str, **form: str) -> Response:
    client: TestClient = shown.locked
    found: Response = client.post(
        f"/work/{what}", data=form, headers=headers, follow_redirects=False
    )
    return found


def rows(shown: Shown, part: str, headers: dict[str, str] | None = None) -> str:
    """The rows of a part of the page."""
    client = shown.client if headers is None else shown.locked
    page = client.get("/work", headers=BROWSER if headers is None else headers)
    assert page.status_code == 200
    found: str = page.text.partition(f'<section id="{part}"')[2].partition("</section>")[0]
    return found


def test_what_waits_stands_with_its_reason_and_the_views_amount(shown: Shown) -> None:
    held = shown.rows(
        "SELECT refund_id, amount::text, held_because FROM finance.refunds WHERE state = 'HELD'"
    )
    told = rows(shown, "held")
    for refund, amount, why in held:
        assert f"/refunds/{refund}" in told
        assert f'value="{amount}" data-source="finance.refunds.amount"' in told
        assert why in told
    assert told.count('<th scope="row">') == len(held) == 2
    over = rows(shown, "overpaid")
    paid = shown.rows(
        "SELECT amount::text FROM finance.overpaid_refunds WHERE reversed_at IS NULL ORDER BY"
        " recorded_at, account_id, log_sequence"
    )
    assert re.findall(r'value="([^"]+)" data-source="finance.overpaid', over) == [
        p for (p,) in paid
    ]
    assert paid


def test_a_task_about_a_hold_is_over_with_it_and_others_stay(shown: Shown) -> None:
    wanted = shown.rows(
        "SELECT e.body ->> 'refund_id' FROM finance.events e JOIN finance.refunds r"
        " ON r.account_id = e.account_id AND r.refund_id = e.body ->> 'refund_id'"
        " WHERE e.event_name = 'SupportTaskOpened' AND (r.state = 'HELD' OR e.body ->> 'reason'"
        " NOT IN ('GATEWAY_FAILED', 'ORIGINAL_CARD_CHANGED')) ORDER BY e.recorded_at"
    )
    ((every,),) = shown.rows(
        "SELECT count(*) FROM finance.events WHERE event_name = 'SupportTaskOpened'"
    )
    found = re.findall(r'<th scope="row"><a href="/refunds/([^?"]+)', rows(shown, "tasks"))
    assert sorted(found) == sorted(refund for (refund,) in wanted)
    assert 0 < len(found) < every


def test_the_second_of_two_people_is_told_who_has_it(shown: Shown, task: Task) -> None:
    emma, otto = shown.headers("emma", "support"), shown.headers("otto", "support")
    account, refund, task_id = task
    of_it = {"kind": "REFUND", "account": account, "id": refund}
    assert post(shown, emma, "take", **of_it).status_code == 303
    second = post(shown, otto, "take", **of_it)
    assert second.status_code == 409
    assert "emma has it already" in second.text
    assert post(shown, emma, "take", **of_it).status_code == 303, "a double click"
    assert ">you<" in rows(shown, "tasks", emma)
    assert "emma" in rows(shown, "tasks", otto)
    assert post(shown, otto, "give-back", **of_it).status_code == 409
    assert post(shown, otto, "done", account=account, task_id=task_id).status_code == 409
    assert post(shown, emma, "give-back", **of_it).status_code == 303
    assert post(shown, emma, "give-back", **of_it).status_code == 303, "a double click"
    assert post(shown, otto, "take", **of_it).status_code == 303


def test_an_operator_takes_it_from_anybody(shown: Shown, task: Task) -> None:
    of_it = {"kind": "REFUND", "account": task[0], "id": task[1]}
    assert post(shown, shown.headers("emma", "support"), "take", **of_it).status_code == 303
    olga = shown.headers("olga", "operator")
    assert "Take from emma" in rows(shown, "tasks", olga)
    assert post(shown, olga, "give-back", **of_it).status_code == 303
    with shown.client.app.state.backend.connection() as connection:  # type: ignore[attr-defined]
        assert holder(connection, "REFUND", task[0], task[1]) is None


def test_what_is_done_is_shown_no_more(shown: Shown, task: Task) -> None:
    emma = shown.headers("emma", "support")
    before = rows(shown, "tasks").count('<th scope="row">')
    for _ in range(2):
        assert post(shown, emma, "done", account=task[0], task_id=task[2]).status_code == 303
    assert rows(shown, "tasks").count('<th scope="row">') == before - 1
    assert shown.rows("SELECT task_id, done_by FROM web.tasks_done") == [(task[2], "emma")]


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_who_only_reads_takes_nothing(shown: Shown, task: Task, role: str) -> None:
    reader = shown.headers("fred", role)
    for what in ("take", "give-back"):
        found = post(shown, reader, what, kind="REFUND", account=task[0], id=task[1])
        assert found.status_code == 403
        assert '<a href="/">' in found.text
    assert shown.rows("SELECT * FROM web.work") == []


@pytest.mark.parametrize(
    ("what", "form", "status"),
    [
        ("take", {"kind": "REFUND", "account": "acct-gateway", "id": "nothing"}, 404),
        ("take", {"kind": "REFUND", "account": "a/b", "id": "a?b#c d/退款"}, 404),
        ("take", {"kind": "LOST", "account": "acct-gateway", "id": "x"}, 400),
        ("take", {"kind": "REFUND"}, 400),
        ("give-back", {"kind": "REFUND", "account": "acct-gateway", "id": "nothing"}, 303),
        ("done", {"account": "acct-gateway", "task_id": "nothing"}, 404),
    ],
)
def test_what_is_not_there_is_named(
    shown: Shown, what: str, form: dict[str, str], status: int
) -> None:
    found = post(shown, shown.headers("emma", "support"), what, **form)
    assert found.status_code == status, main_of(found.text)

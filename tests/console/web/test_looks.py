"""Read only: nothing can be done. Incognito: no amount is on a page."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from console.web.application import application
from console.web.backend import Backend
from console.web.pages.rendering.environment import Look
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.test_access import routes
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def hushed(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """Read only and incognito."""
    look = Look(read_only=True, incognito=True)
    with asked_by_anybody(ledger_of(live_ledger), look) as client:
        yield client


def test_no_route_that_writes_answers_read_only(hushed: TestClient) -> None:
    writing = [(m, p) for m, p in routes(hushed) if m not in {"GET", "HEAD"}]
    assert len(writing) > 30
    for method, path in writing:
        found = hushed.request(method, path.replace("{", "").replace("}", ""))
        if path.startswith(("/signin", "/signout", "/sessions")):
            assert "read only" not in found.text
        else:
            assert found.status_code == 403, (method, path)
            assert "read only" in found.text


@pytest.mark.parametrize("read_only", [True, False])
def test_only_a_console_that_may_write_publishes_what_others_approved(
    live_ledger: RunningLedger, read_only: bool
) -> None:
    def publishing() -> int:
        return [each.name for each in threading.enumerate()].count("publishing")

    before = publishing()
    app = application(Backend(ledger_of(live_ledger)), look=Look(read_only=read_only))
    with TestClient(app):
        assert publishing() - before == (0 if read_only else 1)
    assert publishing() == before


def test_a_page_says_that_it_is_read_only_and_has_no_form_that_acts(hushed: TestClient) -> None:
    told = hushed.get("/", headers=BROWSER).text
    assert "Read only" in told
    assert "Amounts are hidden" in told
    assert re.findall(r'<form method="post" action="([^"]+)"', told) == ["/signout"]


def test_no_amount_is_on_a_page_incognito_and_the_api_has_it(
    client: TestClient, hushed: TestClient
) -> None:
    give(client, "look-1", "OpenAccount", OPENING | {"account_type": "EA"}, "open")
    term = {"term_id": "t-1", "starts_on": "2026-01-01", "ends_on": "2099-12-31"}
    term |= {"amount": "4321.09", "currency": "CNY"}
    given = give(client, "look-1", "OpenCommitmentTerm", term, "term")
    assert given.status_code == 200, given.text
    for path in ("/accounts/look-1", "/lists/events", "/lists/commitment-terms"):
        shown, hidden = client.get(path, headers=BROWSER), hushed.get(path, headers=BROWSER)
        assert (shown.status_code, hidden.status_code) == (200, 200)
        assert "4321.09" not in hidden.text, path
        assert "432109" not in hidden.text, path
    assert "432109" in client.get("/lists/events", headers=BROWSER).text
    assert "432109" in hushed.get("/v1/events").text

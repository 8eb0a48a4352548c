"""The books on pages: trial balance, report, exports, and a month that is closed once."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from console.web.access import people
from console.web.application import application
from console.web.backend import Backend
from console.web.closing import runs
from console.web.closing.closer import close_month
from console.web.closing.month import month_of
from tests.console.ledgers import RunningLedger
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.stories import refunded
from tests.console.web.test_away import NOBODY
from tests.console.web.test_openapi import faults_of
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)
BROWSER = {"Accept": "text/html", "Accept-Language": "en"}
CLOSED, NOT_YET = "2031-01", "2031-03"
JANUARY = {"from": "2031-01-01", "to": "2031-02-01"}


@pytest.fixture(scope="module")
def books(sandbox_ledger: RunningLedger) -> Iterator[TestClient]:
    """A sandbox in which January 2031 is over, with a refund in it."""
    with asked_by_anybody(ledger_of(sandbox_ledger)) as client:
        assert client.post("/v1/clock", json={"to": "2031-01-15T00:00:00Z"}).status_code == 200
        refunded(client, "books-1")
        assert client.post("/v1/clock", json={"to": "2031-02-02T00:00:00Z"}).status_code == 200
        refunded(client, "books-2")

        def over() -> bool:
            rows = client.get("/v1/reached").json()["rows"]
            return all((row["reached_until"] or "") >= "2031-02-01" for row in rows)

        wait_until(over, "the end of January in the read models")
        yield client


def closed(client: TestClient, month: str) -> str:
    """Close a month; its page when that is done."""
    begun = client.post("/books/closings", data={"month": month}, headers=BROWSER)
    assert begun.status_code == 200, begun.text
    path = f"/books/closings/{month}"

    def done() -> bool:
        return "http-equiv" not in client.get(path, headers=BROWSER).text

    wait_until(done, "the end of the closing")
    return client.get(path, headers=BROWSER).text


def test_the_trial_balance_is_what_the_view_says(books: TestClient) -> None:
    told = books.get("/books", headers=BROWSER)
    assert told.status_code == 200
    rows = books.get("/v1/trial-balance").json()["rows"]
    assert rows
    for row in rows:
        for name in ("debit", "credit", "balance"):
            assert f'value="{row[name]}"' in told.text
    past = {"as_of": "2031-01-31T23:59:59Z"}
    then = books.get("/v1/trial-balance", params=past).json()["rows"]
    assert then != rows
    page = books.get("/books", params=past, headers=BROWSER).text
    assert all(f'value="{row["debit"]}"' in page for row in then)


def test_a_closed_month_has_its_protocol_and_gives_the_same_again(
    books: TestClient, sandbox_ledger: RunningLedger
) -> None:
    told = closed(books, CLOSED)
    assert "equal to the log" in told, told
    with psycopg.connect(sandbox_ledger.database_url, autocommit=True) as connection:
        month = month_of(CLOSED)
        assert month is not None
        (run, *_) = runs.runs_of(connection, month)
    assert run.protocol is not None
    protocol = run.protocol
    balance = books.get("/v1/trial-balance", params={"as_of": "2031-01-31T23:59:59Z"}).json()
    assert protocol["trial_balance"] == balance["rows"]
    for place in protocol["checkpoint"]:
        if place["events"]:
            event = books.get(f"/v1/events/{place['partition']}/{place['offset']}").json()
            assert event["hash"] == place["hash"]
            assert event["event"]["meta"]["log_sequence"] == place["events"] - 1
            assert event["event"]["at"] < "2031-02-01"
    again = closed(books, CLOSED)
    assert again.count(f"<code>{protocol['digest']}</code>") == 3


def test_the_files_of_a_closed_month_have_the_rows_of_the_protocol(books: TestClient) -> None:
    closed(books, CLOSED)
    asked = {"view": "journal", "format": "csv", **JANUARY}
    first, again = (books.get("/books/exports", params=asked) for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.content == again.content
    rows = list(csv.DictReader(io.StringIO(first.content.decode("utf-8-sig"))))
    assert {row["account_id"] for row in rows} == {"books-1"}
    assert 'filename="journal-2031-01-01-2031-02-01.csv"' in first.headers["Content-Disposition"]
    for format_ in ("jsonl", "xlsx"):
        found = books.get("/books/exports", params=asked | {"format": format_})
        assert found.status_code == 200
        assert hashlib.sha256(found.content).digest()


def test_the_api_closes_a_month_and_has_the_protocol_of_the_page(books: TestClient) -> None:
    begun = books.post("/v1/closings", json={"month": CLOSED})
    assert (begun.status_code, begun.headers["Location"]) == (202, f"/v1/closings/{CLOSED}")
    where = begun.headers["Location"]

    def newest() -> dict[str, Any]:
        told = books.get(where).json()
        assert faults_of(books, "Closings", told) == []
        run: dict[str, Any] = told["closings"][0]
        return run

    wait_until(lambda: newest()["state"] != "RUNNING", "the end of the closing")
    run = newest()
    assert (run["state"], run["month"], run["share"]) == ("DONE", CLOSED, 100)
    assert run["protocol"]["reconciliation"]["agrees"]
    page = books.get(f"/books/closings/{CLOSED}", headers=BROWSER).text
    assert run["protocol"]["digest"] in page
    every = books.get("/v1/closings").json()
    assert faults_of(books, "Closings", every) == []
    assert run in every["closings"]


@pytest.mark.parametrize(("month", "status"), [("2031-13", 400), ("x", 400), (NOT_YET, 409)])
def test_the_api_closes_no_month_that_is_not_over(
    books: TestClient, month: str, status: int
) -> None:
    found = books.post("/v1/closings", json={"month": month})
    assert (found.status_code, found.json()["status"]) == (status, status)
    if status == 400:
        assert books.get(f"/v1/closings/{month}").status_code == 400


def test_a_second_click_begins_nothing(books: TestClient, sandbox_ledger: RunningLedger) -> None:
    month = month_of("2030-12")
    assert month is not None
    with psycopg.connect(sandbox_ledger.database_url, autocommit=True) as held:
        assert runs.begin(held, month, "anna") == 1
        backend = Backend(ledger_of(sandbox_ledger))
        assert not close_month(backend, month, "bert")
        (run,) = runs.runs_of(held, month)
        assert (run.state, run.asked_by) == (runs.RUNNING, "anna")
        told = books.get("/books/closings/2030-12", headers=BROWSER).text
        assert 'http-equiv="refresh"' in told
        assert "<button>Close it again" not in told
    with psycopg.connect(sandbox_ledger.database_url, autocommit=True) as other:

        def ended() -> bool:
            return runs.runs_of(other, month)[0].state == runs.INTERRUPTED

        wait_until(ended, "the lock of the first to be gone")
    told = closed(books, "2030-12")
    assert "its process ended before it did" in told
    assert "is before the ledger began" in told


def test_a_read_model_that_differs_from_the_log_is_named(
    books: TestClient, sandbox_ledger: RunningLedger
) -> None:
    change = "UPDATE read_models.balances SET cash = cash + %s WHERE account_id = 'books-1'"
    with psycopg.connect(sandbox_ledger.database_url, autocommit=True) as connection:
        connection.execute(change, (1,))
        try:
            told = closed(books, CLOSED)
        finally:
            connection.execute(change, (-1,))
    assert "NOT equal to the log:" in told
    assert "balances books-1" in told


def test_a_closing_without_brokers_says_so_and_leaves_no_protocol(
    books: TestClient, sandbox_ledger: RunningLedger
) -> None:
    ledger = replace(ledger_of(sandbox_ledger), bootstrap=NOBODY)
    with asked_by_anybody(ledger) as away:
        told = closed(away, "2031-01")
    assert "no Kafka broker answers" in told
    assert "not closed" in told


@pytest.mark.parametrize("month", ["", "2031-13", "2031-1", "0001-01", "january", "９９９９-01"])
def test_what_is_no_month_is_said(books: TestClient, month: str) -> None:
    found = books.post("/books/closings", data={"month": month}, headers=BROWSER)
    assert found.status_code == 400
    assert "month:" in found.text


def test_a_month_that_is_not_over_is_not_closed(books: TestClient) -> None:
    found = books.post("/books/closings", data={"month": NOT_YET}, headers=BROWSER)
    assert found.status_code == 409
    assert "complete" in found.text


def test_a_period_is_reported_with_pictures_and_the_figures_of_the_views(
    books: TestClient,
) -> None:
    told = books.get("/books/report", params=JANUARY, headers=BROWSER)
    assert told.status_code == 200, told.text
    (refund,) = books.get("/v1/refunds", params={"account": "books-1"}).json()["rows"]
    assert f'value="{refund["amount"]}"' in told.text
    (source, *_) = re.findall(r'<img src="([^"]+)"', told.text)
    picture = books.get(source.replace("&amp;", "&"))
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")
    assert "style=" not in told.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/books/report?from=2031-01-01", 400),
        ("/books/report?from=x&to=y", 400),
        ("/books/report?from=2031-02-01&to=2031-01-01", 400),
        ("/books/report?from=2031-01-01&to=2999-01-01", 400),
        ("/books/report/pictures/77?from=2031-01-01&to=2031-02-01", 404),
        ("/books/report/pictures/0", 400),
        ("/books/exports?view=secrets", 404),
        ("/books/exports?view=journal&format=exe", 404),
        ("/books/exports?view=journal&format=beancount", 400),
        ("/books/exports?view=journal&account=nobody", 404),
        ("/books/exports?view=journal&from=x", 400),
        ("/books/exports?view=journal&to=2999-01-01", 400),
        ("/books/closings/2031-1", 400),
        ("/books?as_of=x", 400),
    ],
)
def test_what_cannot_be_shown_is_a_page(books: TestClient, path: str, status: int) -> None:
    found = books.get(path, headers=BROWSER)
    assert found.status_code == status, found.text
    assert 'href="/"' in found.text


def test_only_finance_and_operators_close(sandbox_ledger: RunningLedger) -> None:
    backend = Backend(ledger_of(sandbox_ledger))
    with (
        psycopg.connect(sandbox_ledger.database_url, autocommit=True) as connection,
        TestClient(application(backend), raise_server_exceptions=False) as locked,
    ):
        for role, status in (("support", 403), ("auditor", 403), ("finance", 400)):
            token = people.new_token(connection, role, [role], 1)
            key = {"Authorization": f"Bearer {token}"}
            found = locked.post("/books/closings", data={"month": "x"}, headers=key)
            assert found.status_code == status, (role, found.text)
            page = locked.get("/books", headers=key | BROWSER).text
            assert ("Close the month" in page) == (role == "finance")

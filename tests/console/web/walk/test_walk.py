"""Every page of a ledger with many stories answers, every link leads to one, every amount is the
database's, and no page about one account reads a whole table.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import Connection
from starlette.routing import compile_path

from projector.questions import QUESTIONS, Kind
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER
from tests.console.web.test_access import routes
from tests.console.web.walk.html import Page, Shown
from tests.console.web.walk.seen import SeenBackend, statements_of_requests, whole_scans

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

OF_ONE_SHAPE = 3
"""So many addresses with one route and the same parameters are looked at."""
OF_LOOKS = frozenset({"lang", "theme"})
SMALL = frozenset(
    {"checkpoints", "horizons", "sandbox_clock", "currencies", "terms", "fiscal_year"}
)
"""Tables with a row a partition, a currency or a version, and such."""
UNTOLD = frozenset({"0.00", "1.00"})
"""Amounts that say nothing, and stand on pages as other numbers."""
OF_SESSIONS = frozenset({"/signout", "/sessions/end"})
NO_AMOUNTS = ("/rules", "/v1/docs")
"""Pages with the numbers of the rules, and with made-up examples."""
SUMS = (
    "SELECT sum(amount)::text FROM finance.refunds GROUP BY currency, state",
    "SELECT sum(amount)::text FROM finance.refunds"
    " GROUP BY (issued_at AT TIME ZONE 'UTC')::date, rule, currency",
)
"""The sums that pages show without a view of their own."""
Walked = dict[str, str]


def shape_of(client: TestClient, address: str) -> tuple[Any, ...]:
    """The route of an address and the names of its parameters."""
    parts = urlsplit(address)
    names = tuple(sorted(parse_qs(parts.query)))
    for method, path in routes(client):
        if method == "GET" and compile_path(path)[0].match(parts.path):
            return path, names
    return parts.path, names


@pytest.fixture(scope="module")
def walked(pages: TestClient) -> Walked:
    """Address → page, of everything that links lead to; each answered, and none with a fault."""
    waiting, seen = deque(["/"]), {"/"}
    shapes: Counter[tuple[Any, ...]] = Counter()
    found: Walked = {}
    while waiting:
        address = waiting.popleft()
        answer = pages.get(address, headers=BROWSER)
        assert answer.status_code == 200, (address, answer.text)
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        found[address] = answer.text
        for link in sorted(Page(answer.text).links):
            target = urljoin(f"http://testserver{address}", link)
            parts = urlsplit(target)
            assert parts.netloc == "testserver", (address, link)
            where = parts.path + (f"?{parts.query}" if parts.query else "")
            if where in seen or OF_LOOKS & set(parse_qs(parts.query)):
                continue
            shape = shape_of(pages, where)
            shapes[shape] += 1
            if shapes[shape] <= OF_ONE_SHAPE or not parse_qs(parts.query):
                seen.add(where)
                waiting.append(where)
    return found


def test_the_walk_comes_to_every_room(walked: Walked, pages: TestClient) -> None:
    rooms = {shape_of(pages, address)[0] for address in walked}
    assert {"/", "/lists/{name}", "/accounts/{account_id}", "/v1/docs"} <= rooms
    assert len(walked) > 50


def test_every_amount_is_the_text_that_the_view_has(walked: Walked, storied: RunningLedger) -> None:
    compared = 0
    with psycopg.connect(storied.database_url, autocommit=True) as connection:
        views = Views(connection)
        for address, text in walked.items():
            if parse_qs(urlsplit(address).query).keys() & {"as_of", "known_at"}:
                continue
            for shown in Page(text).amounts:
                assert views.have(shown), (address, shown)
                compared += 1
    assert compared > 300


class Views:
    """The amounts of the views, each read once."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._rows: dict[tuple[str, tuple[str, ...]], set[tuple[str | None, ...]]] = {}
        self._all: set[str] = set()

    def have(self, shown: Shown) -> bool:
        """Whether the amount stands in the view, in a row with the page's account; where the page
        does not say in which view, whether it is the text of an amount in any, or of a sum.
        """
        if not shown.source:
            return shown.text in self.texts()
        keys = [name for name in ("account_id",) if name in shown.row]
        wanted = (shown.text, *(shown.row[name].strip() for name in keys))
        return wanted in self._of(shown.source, (shown.column, *keys))

    def _of(self, source: str, columns: tuple[str, ...]) -> set[tuple[str | None, ...]]:
        if (source, columns) not in self._rows:
            told = ", ".join(f"{name}::text" for name in columns)
            asked = f"SELECT {told} FROM {rows_of(source)}"
            self._rows[source, columns] = set(self._connection.execute(asked.encode()))
        return self._rows[source, columns]

    def texts(self) -> set[str]:
        """Every amount of every view."""
        if not self._all:
            self._all = set(self._every_text())
        return self._all

    def _every_text(self) -> Iterator[str]:
        for question in QUESTIONS.values():
            for column in question.columns:
                if column.kind is Kind.MONEY:
                    yield from (text or "" for (text,) in self._of(question.name, (column.name,)))
        for statement in SUMS:
            yield from (text for (text,) in self._connection.execute(statement.encode()))


def rows_of(source: str) -> str:
    """A view itself; for a list its view, or the sums that it is of."""
    if source not in QUESTIONS:
        return source
    question = QUESTIONS[source]
    if question.group_by is None:
        return question.view
    sums = ", ".join(f"{told} AS {name}" for name, told in question.expressions.items())
    grouped = question.group_by
    return f"(SELECT {grouped}, {sums} FROM {question.view} GROUP BY {grouped}) sums"


def test_read_only_and_incognito_no_page_has_a_form_that_writes_or_an_amount(
    walked: Walked, hushed: TestClient, storied: RunningLedger
) -> None:
    with psycopg.connect(storied.database_url, autocommit=True) as connection:
        texts = {each for each in Views(connection).texts() if re.fullmatch(r"-?\d+\.\d\d", each)}
    texts -= UNTOLD
    leaking: dict[str, set[str]] = {}
    for address in walked:
        if address.startswith(NO_AMOUNTS):
            continue
        told = hushed.get(address, headers=BROWSER)
        assert told.status_code in {200, 403}, address
        posts = set(re.findall(r'<form method="post" action="([^"]*)"', told.text))
        found = (posts - OF_SESSIONS) | (texts & set(re.findall(r"-?\d+\.\d\d\b", told.text)))
        if found:
            leaking[address] = found
    assert not leaking, "\n".join(f"{a}: {sorted(f)}" for a, f in leaking.items())


def test_no_page_about_one_account_reads_a_whole_table(
    walked: Walked, pages: TestClient, storied: RunningLedger
) -> None:
    of_accounts = [
        address
        for address in walked
        if re.match(r"/accounts/", address) or "account=" in urlsplit(address).query
    ]
    assert len(of_accounts) > 10
    looked = 0
    with psycopg.connect(storied.database_url, autocommit=True) as connection:
        # What autovacuum saw last may be from the middle of a story.
        connection.execute("ANALYZE")
        for address in of_accounts:
            with statements_of_requests() as statements:
                pages.get(address, headers=BROWSER)
            for statement in statements:
                if not statement[0].lstrip().startswith(("SELECT", "WITH")):
                    continue
                whole = set(whole_scans(connection, statement)) - SMALL
                assert not whole, (address, whole, statement)
                looked += 1
    assert looked > 50


def test_only_what_a_request_asks_is_remembered(pages: TestClient, backend: SeenBackend) -> None:
    def asks() -> None:
        with backend.connection() as connection:
            connection.execute("SELECT 'besides'")

    with statements_of_requests() as statements:
        besides = Thread(target=asks)
        besides.start()
        besides.join()
        assert statements == []
        pages.get("/recycle-bin", headers=BROWSER)
        assert any("recycle_bin" in text for text, _ in statements)


def test_a_whole_scan_is_seen(storied: RunningLedger) -> None:
    with psycopg.connect(storied.database_url, autocommit=True) as connection:
        assert whole_scans(connection, ("SELECT * FROM read_models.refunds", None)) == ["refunds"]
        asked = "SELECT * FROM read_models.refunds WHERE account_id = 'x'"
        assert whole_scans(connection, (asked, None)) == []
        asked = "SELECT * FROM read_models.refunds ORDER BY account_id, refund_id"
        assert whole_scans(connection, (asked, None)) == ["refunds"]

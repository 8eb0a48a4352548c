"""The pages: signing in, what an account has and may do, and errors as pages."""

from __future__ import annotations

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER, PASSWORD, csrf_of
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def emma(live_ledger: RunningLedger) -> str:
    """A person of support."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        assert people.add(connection, "emma", PASSWORD, ["support"])
    return "emma"


def test_a_page_asks_to_sign_in_and_comes_back(locked: TestClient, emma: str) -> None:
    first = locked.get("/lists/accounts", headers=BROWSER, follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["Location"] == "/signin?next=%2Flists%2Faccounts"
    form = {"name": emma, "password": PASSWORD, "next": "/lists/accounts"}
    signed = locked.post("/signin", data=form, follow_redirects=False)
    assert (signed.status_code, signed.headers["Location"]) == (303, "/lists/accounts")
    cookie = signed.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert locked.get("/lists/accounts", headers=BROWSER).status_code == 200
    told = locked.get("/", headers=BROWSER).text
    token = csrf_of(told)
    odd = locked.post("/signout", headers={b"X-CSRF-Token": b"\xe9"})
    assert odd.status_code == 403
    assert locked.post("/signout", data={"csrf": "é"}).status_code == 403
    foreign = locked.post("/signout", data={"csrf": "guessed"}, headers=BROWSER)
    assert foreign.status_code == 403
    out = locked.post("/signout", data={"csrf": token}, follow_redirects=False)
    assert out.headers["Location"] == "/signin"
    locked.cookies.clear()
    again = locked.get("/", headers=BROWSER, follow_redirects=False)
    assert again.status_code == 303


def test_a_wrong_password_says_no_more_than_that_and_keeps_the_name(
    locked: TestClient, emma: str
) -> None:
    wrong = {"name": emma, "password": "wrong", "next": "//elsewhere.example/"}
    found = locked.post("/signin", data=wrong)
    unknown = locked.post("/signin", data=wrong | {"name": "nobody"})
    assert found.status_code == unknown.status_code == 403
    assert "Name, password or code are wrong." in found.text
    assert f'value="{emma}"' in found.text
    assert "elsewhere" not in found.text
    assert found.text.replace(emma, "") == unknown.text.replace("nobody", "")


def test_an_account_shows_what_may_be_done_and_its_rows(client: TestClient) -> None:
    give(client, "page-1", "OpenAccount", OPENING, "open")
    started = {"instance_id": "i-1", "product": "cvm", "region": "r-1"}
    found = give(client, "page-1", "StartPostpaidInstance", started, "start")
    assert found.status_code == 200, found.text
    told = client.get("/accounts/page-1", headers=BROWSER)
    assert told.status_code == 200
    assert "/accounts/page-1/acts/DestroyPostpaidInstance?thing=i-1" in told.text
    assert "PostpaidInstanceStarted" in told.text


def test_what_a_customer_says_is_text_on_a_page(client: TestClient) -> None:
    give(client, "<script>alert(1)", "OpenAccount", OPENING, "open")
    told = client.get("/lists/accounts", headers=BROWSER).text
    assert "<script>alert" not in told
    assert "&lt;script&gt;alert(1)" in told


def test_no_page_runs_what_is_not_ours(client: TestClient) -> None:
    headers = client.get("/", headers=BROWSER).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert client.get("/static/style.css").status_code == 200


@pytest.mark.parametrize("path", ["/lists/nothing", "/accounts/nobody", "/no/such/page"])
def test_what_is_not_there_is_a_page_with_a_way_back(client: TestClient, path: str) -> None:
    found = client.get(path, headers=BROWSER)
    assert found.status_code == 404
    assert '<a href="/">' in found.text
    assert "Traceback" not in found.text

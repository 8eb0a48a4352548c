"""A proxy that names people in headers: nobody else is believed, and by default nobody is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from console.running.settings import Settings
from console.terminal.errors import BadInput
from console.web.access import people
from console.web.access.proxy import Proxy, named_by, proxy_of
from console.web.application import application
from console.web.backend import Backend
from console.web.problems import Problem
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER, PASSWORD, csrf_of
from tests.console.web.serving import ledger_of

pytestmark = pytest.mark.timeout(300)

SECRET = "what the proxy and we know"
NAMED = {"X-User": "petra", "X-Groups": "staff, others"}
BY_SECRET = NAMED | {"X-Refunds-Proxy": SECRET}


def proxy(folder: Path, **more: Any) -> Proxy:
    file = folder / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    told = {
        "REFUNDS_PROXY_SECRET_FILE": file,
        "REFUNDS_PROXY_NAME_HEADER": "X-User",
        "REFUNDS_PROXY_ROLES_HEADER": "X-Groups",
        "REFUNDS_PROXY_ROLES": {"staff": ["support"]},
        **more,
    }
    found = proxy_of(Settings(**told))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def behind(
    live_ledger: RunningLedger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Behind a proxy that is known by its secret."""
    found = proxy(tmp_path_factory.mktemp("proxy"))
    with asked_from("198.51.100.7", live_ledger, found) as client:
        yield client


def asked_from(address: str, live_ledger: RunningLedger, found: Proxy | None) -> TestClient:
    app = application(Backend(ledger_of(live_ledger)), proxy=found)
    return TestClient(app, raise_server_exceptions=False, client=(address, 50_000))


def test_whom_the_proxy_names_is_signed_in(behind: TestClient) -> None:
    assert behind.get("/v1/balances", headers=BY_SECRET).status_code == 200
    page = behind.get("/signin", headers=BY_SECRET).text
    assert "petra" in page
    assert behind.get("/v1/balances").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        NAMED,
        NAMED | {"X-Refunds-Proxy": ""},
        NAMED | {"X-Refunds-Proxy": "a guess"},
        [*NAMED.items(), ("X-Refunds-Proxy", SECRET), ("X-Refunds-Proxy", SECRET)],
        [*BY_SECRET.items(), ("X-User", "root")],
        [*BY_SECRET.items(), ("X-Groups", "staff")],
        BY_SECRET | {"X-User": ""},
        BY_SECRET | {"X-Groups": "others"},
        {"X-User": "petra", "X-Refunds-Proxy": SECRET},
    ],
)
def test_nobody_else_names_anybody(behind: TestClient, headers: Any) -> None:
    for path in ("/v1/balances", "/", "/approvals"):
        assert behind.get(path, headers=headers).status_code == 403


def test_a_known_address_names_people_and_no_other_does(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    more = {"REFUNDS_PROXY_SECRET_FILE": None, "REFUNDS_PROXY_ADDRESSES": "10.0.0.0/8, ::1"}
    for address, status in (("10.1.2.3", 200), ("::1", 200), ("11.1.2.3", 403), ("odd", 403)):
        with asked_from(address, live_ledger, proxy(tmp_path, **more)) as client:
            found = client.get("/v1/balances", headers=NAMED | {"X-Forwarded-For": "10.1.2.3"})
            assert found.status_code == status, address


def test_address_and_secret_are_both_needed_where_both_are_set(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    found = proxy(tmp_path, REFUNDS_PROXY_ADDRESSES="10.0.0.0/8")
    for address, headers, status in (
        ("10.1.2.3", BY_SECRET, 200),
        ("10.1.2.3", NAMED, 403),
        ("11.1.2.3", BY_SECRET, 403),
    ):
        with asked_from(address, live_ledger, found) as client:
            assert client.get("/v1/balances", headers=headers).status_code == status


def test_by_default_such_headers_name_nobody(locked: TestClient) -> None:
    sent = BY_SECRET | {"X-Forwarded-User": "petra", "Remote-User": "petra"}
    assert locked.get("/v1/balances", headers=sent).status_code == 401


def test_a_page_of_another_site_does_nothing_in_the_name_of_the_person(
    behind: TestClient,
) -> None:
    form = {"csrf": "wrong"}
    path = "/approvals/a/c/decline"
    assert behind.post(path, data=form, headers=BY_SECRET).status_code == 403
    page = behind.get("/sessions", headers=BY_SECRET | BROWSER).text
    csrf = csrf_of(page)
    elsewhere = BY_SECRET | {"Sec-Fetch-Site": "cross-site"}
    assert behind.post(path, data={"csrf": csrf}, headers=elsewhere).status_code == 403
    assert behind.post(path, data={"csrf": csrf}, headers=BY_SECRET).status_code == 404


def test_a_name_that_has_ended_is_not_signed_in(
    behind: TestClient, live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "pia", PASSWORD, ["finance"])
        people.end(connection, "pia")
    assert behind.get("/v1/balances", headers=BY_SECRET | {"X-User": "pia"}).status_code == 401


def test_a_name_that_only_the_proxy_knows_is_refused_once_it_is_ended(
    behind: TestClient, live_ledger: RunningLedger
) -> None:
    only_there = BY_SECRET | {"X-User": "only-there"}
    assert behind.get("/v1/balances", headers=only_there).status_code == 200
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.end(connection, "only-there")
        assert behind.get("/v1/balances", headers=only_there).status_code == 401
        people.undo_end(connection, "only-there")
    assert behind.get("/v1/balances", headers=only_there).status_code == 200


def test_the_scheme_is_the_proxys_to_say(behind: TestClient, locked: TestClient) -> None:
    told = {"X-Forwarded-Proto": "https"}
    ours = behind.get("/livez", headers=told | {"X-Refunds-Proxy": SECRET})
    assert ours.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookie = behind.get("/signin", params={"lang": "en"}, headers=told | BY_SECRET)
    assert "Secure" in cookie.headers["Set-Cookie"]
    for client, headers in ((behind, told), (locked, told | {"X-Refunds-Proxy": SECRET})):
        found = client.get("/livez", headers=headers)
        assert "Strict-Transport-Security" not in found.headers


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"REFUNDS_PROXY_NAME_HEADER": "X-User"}, "anybody could send it"),
        ({"REFUNDS_PROXY_ADDRESSES": "10.0.0.0/99"}, "REFUNDS_PROXY_ADDRESSES"),
        (
            {"REFUNDS_PROXY_ADDRESSES": "10.0.0.1", "REFUNDS_PROXY_NAME_HEADER": "X-User"},
            "REFUNDS_PROXY_ROLES",
        ),
    ],
)
def test_a_proxy_that_anybody_could_be_is_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        proxy_of(Settings(**told))
    assert proxy_of(Settings()) is None


def encoded(headers: dict[str, str], by: str = "utf-8") -> list[tuple[bytes, bytes]]:
    """As a proxy sends them that writes so."""
    return [(name.lower().encode(), value.encode(by)) for name, value in headers.items()]


def test_a_name_is_the_same_as_it_is_in_other_ways_of_signing_in(
    behind: TestClient, live_ledger: RunningLedger
) -> None:
    named = encoded(BY_SECRET | {"X-User": "Zoë 张"})
    assert "Zoë 张" in behind.get("/signin", headers=named).text
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.end(connection, "Zoë 张")
    assert behind.get("/v1/balances", headers=named).status_code == 401


def test_a_role_of_there_may_have_every_letter(live_ledger: RunningLedger, tmp_path: Path) -> None:
    found = proxy(tmp_path, REFUNDS_PROXY_ROLES={"财务": ["finance"]})
    with asked_from("198.51.100.7", live_ledger, found) as client:
        told = encoded(BY_SECRET | {"X-Groups": "财务"})
        assert client.get("/v1/balances", headers=told).status_code == 200


def test_a_name_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Read by letters that it does not have, it would be somebody else's."""
    found = proxy(tmp_path)
    named = Headers(raw=encoded(BY_SECRET | {"X-User": "Zoë"}, "latin-1"))
    with pytest.raises(Problem, match="X-User is not UTF-8"):
        named_by(found, named, None)

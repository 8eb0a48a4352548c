"""A one-time code beside the password: RFC 6238, and each code once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.sealing.master_key import MasterKey
from console.terminal.errors import Failed
from console.web.access import people, totp
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER, PASSWORD, csrf_of, sign_in

pytestmark = pytest.mark.timeout(300)

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_of(RFC_SECRET, seconds // 30, digits=8) == code
    assert totp.code_of(RFC_SECRET, seconds // 30) == code[2:]


@pytest.mark.parametrize(
    ("away", "used", "found"),
    [
        (0, 0, 100),
        (-1, 0, 99),
        (1, 0, 101),
        (2, 0, None),
        (-2, 0, None),
        (0, 100, None),
        (0, 99, 100),
    ],
)
def test_a_code_counts_near_its_time_and_once(away: int, used: int, found: int | None) -> None:
    code = totp.code_of(RFC_SECRET, 100 + away)
    assert totp.step_of(RFC_SECRET, code, 3_000, used) == found


@pytest.mark.parametrize("code", ["", "1", "½½½½½½", "\ud800", "0" * 1_000])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.step_of(RFC_SECRET, code, 3_000, 0) is None


def test_the_address_has_the_secret_and_the_name() -> None:
    found = urlsplit(totp.address_of("anna b", RFC_SECRET))
    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert found.path == "/Refund%20ledger%3Aanna%20b"
    told = parse_qs(found.query)
    assert told == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["Refund ledger"]}


@pytest.fixture
def connection(live_ledger: RunningLedger) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as opened:
        yield opened


def signed_in(
    connection: psycopg.Connection[Any], name: str, code: str, master: MasterKey | None = None
) -> bool:
    def connections() -> Any:
        return nullcontext(connection)

    return people.sign_in(connections, name, PASSWORD, code, master) is not None


def code_now(connection: psycopg.Connection[Any], secret: bytes, away: int = 0) -> str:
    row = connection.execute("SELECT extract(epoch FROM now())::bigint").fetchone()
    assert row is not None
    return totp.code_of(secret, row[0] // 30 + away)


def test_who_is_enrolled_needs_a_code_which_counts_once(
    connection: psycopg.Connection[Any],
) -> None:
    people.add(connection, "tina", PASSWORD, ["finance"])
    assert signed_in(connection, "tina", "")
    secret = people.enrol(connection, "tina", None)
    assert secret is not None
    assert not signed_in(connection, "tina", "")
    code = code_now(connection, secret)
    assert signed_in(connection, "tina", f"{code[:3]} {code[3:]}")
    assert not signed_in(connection, "tina", code)
    assert signed_in(connection, "tina", code_now(connection, secret, 1))
    assert people.end_second_factor(connection, "tina")
    assert not people.end_second_factor(connection, "tina")
    assert signed_in(connection, "tina", "")
    assert people.enrol(connection, "nobody at all", None) is None


def test_wrong_codes_lock_as_wrong_passwords_do(connection: psycopg.Connection[Any]) -> None:
    people.add(connection, "toni", PASSWORD, ["finance"])
    secret = people.enrol(connection, "toni", None)
    assert secret is not None
    for _ in range(people.FAILURES):
        assert not signed_in(connection, "toni", "000")
    with pytest.raises(people.Locked):
        signed_in(connection, "toni", code_now(connection, secret))


def test_the_secret_is_kept_under_the_master_key(
    connection: psycopg.Connection[Any],
) -> None:
    first, second = bytes(32), bytes([1]) * 32
    people.add(connection, "tom", PASSWORD, ["finance"])
    secret = people.enrol(connection, "tom", MasterKey(first))
    assert secret is not None
    row = connection.execute("SELECT totp_secret FROM web.people WHERE name = 'tom'").fetchone()
    assert row is not None
    assert secret not in row[0]
    for master in (None, MasterKey(second)):
        with pytest.raises(Failed, match="master key"):
            signed_in(connection, "tom", code_now(connection, secret), master)
    code = code_now(connection, secret)
    assert signed_in(connection, "tom", code, MasterKey(second, first))
    with pytest.raises(Failed, match="master key"):
        signed_in(connection, "tom", code_now(connection, secret, 1), MasterKey(second))


def test_the_form_takes_the_code(locked: TestClient, connection: psycopg.Connection[Any]) -> None:
    people.add(connection, "tara", PASSWORD, ["finance"])
    secret = people.enrol(connection, "tara", None)
    assert secret is not None
    form = {"name": "tara", "password": PASSWORD}
    assert locked.post("/signin", data=form).status_code == 403
    form |= {"code": code_now(connection, secret)}
    assert locked.post("/signin", data=form, follow_redirects=False).status_code == 303


def test_somebody_sees_the_own_sessions_and_ends_them_all(
    locked: TestClient, connection: psycopg.Connection[Any]
) -> None:
    people.add(connection, "susi", PASSWORD, ["finance"])
    people.add(connection, "sven", PASSWORD, ["finance"])
    other = people.sign_in(lambda: nullcontext(connection), "susi", PASSWORD) or ""
    svens = people.sign_in(lambda: nullcontext(connection), "sven", PASSWORD) or ""
    locked.cookies.clear()
    sign_in(locked, "susi")
    shown = locked.get("/sessions", headers=BROWSER).text
    assert shown.count("<tr><td>") == 2
    csrf = csrf_of(shown)
    assert locked.post("/sessions/end", data={"csrf": "wrong"}).status_code == 403
    assert locked.post("/sessions/end", data={"csrf": csrf}).status_code == 200
    assert people.of_session(connection, other) is None
    assert people.of_session(connection, svens) is not None
    locked.cookies.clear()

"""Sign-in by an OpenID provider that a test runs: the good way, and each that must not count."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from httpx2 import Response

from console.running.settings import Settings
from console.terminal.errors import BadInput
from console.web.access import people
from console.web.access.oidc import Oidc, provider_of
from console.web.application import application
from console.web.backend import Backend
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import BROWSER, PASSWORD
from tests.console.web.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    new_key,
    provider_served,
    signed,
)
from tests.console.web.serving import ledger_of

pytestmark = pytest.mark.timeout(300)

ROLES = {"staff": ["support"], "books": ["finance"]}


def settings_of(provider: Provider, folder: Path, **more: Any) -> Settings:
    file = folder / "secret"
    file.write_text(CLIENT_SECRET)
    file.chmod(0o600)
    told = {
        "REFUNDS_OIDC_ISSUER": provider.issuer,
        "REFUNDS_OIDC_CLIENT_ID": CLIENT_ID,
        "REFUNDS_OIDC_CLIENT_SECRET_FILE": file,
        "REFUNDS_OIDC_ROLES": ROLES,
        **more,
    }
    return Settings(**told)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with provider_served() as found:
        yield found


@pytest.fixture(scope="module")
def backend(live_ledger: RunningLedger) -> Backend:
    return Backend(ledger_of(live_ledger))


@pytest.fixture
def browser(provider: Provider, live_ledger: RunningLedger, tmp_path: Path) -> Iterator[TestClient]:
    """A browser that has not signed in."""
    found = provider_of(settings_of(provider, tmp_path))
    assert found is not None
    app = application(Backend(ledger_of(live_ledger)), oidc=Oidc(found))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def begun(browser: TestClient) -> str:
    """Where the browser is sent."""
    found = browser.get("/signin/oidc", params={"next": "/lists/accounts"})
    assert found.status_code == 303
    return found.headers["Location"]


def back(browser: TestClient, told: dict[str, str]) -> Response:
    return browser.get("/signin/oidc/callback", params=told)


def refused(browser: TestClient, told: dict[str, str], why: str) -> None:
    found = back(browser, told)
    assert (found.status_code, why in found.text) == (403, True), found.text
    assert browser.get("/v1/balances").status_code == 401


def test_who_is_known_signs_in_and_acts_under_that_name(
    browser: TestClient, provider: Provider
) -> None:
    shown = browser.get("/signin", params={"next": "/lists/accounts"}).text
    assert "/signin/oidc?next=%2Flists%2Faccounts" in shown
    found = back(browser, provider.authorize(begun(browser)))
    assert (found.status_code, found.headers["Location"]) == (303, "/lists/accounts")
    assert "HttpOnly" in found.headers["Set-Cookie"]
    assert browser.get("/v1/balances").status_code == 200
    page = browser.get("/sessions", headers=BROWSER).text
    assert f">{provider.claims['sub']}</a>" in page


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "maria", "groups": ["staff"], **more}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (claims(nonce="of another"), "another sign-in"),
        (claims(nonce="é"), "another sign-in"),
        (claims(aud="another"), "Audience"),
        (claims(aud=[CLIENT_ID, "another"]), "another program"),
        (claims(azp="another"), "another program"),
        (claims(iss="https://elsewhere.example"), "ssuer"),
        (claims(exp=int(time.time()) - 3_600), "expired"),
        (claims(exp=None), "exp"),
        (claims(iat=int(time.time()) + 3_600), "iat"),
        (claims(sub=None), "sub"),
        (claims(groups=["others"]), "no role here"),
        (claims(groups=None), "no role here"),
        (claims(groups={"staff": True}), "no role here"),
    ],
)
def test_a_token_that_says_anything_else_does_not_count(
    browser: TestClient, provider: Provider, told: dict[str, Any], why: str
) -> None:
    provider.claims = told

    def without_empty(it: Provider, every: dict[str, Any]) -> str:
        return signed(it, {name: value for name, value in every.items() if value is not None})

    provider.sign = without_empty
    refused(browser, provider.authorize(begun(browser)), why)


def part(told: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def by_none(_: Provider, told: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': 'k1'})}.{part(told)}."


def by_the_public_key(provider: Provider, told: dict[str, Any]) -> str:
    """HS256, with the public key as the secret, which everybody has."""
    public = provider.keys["k1"].public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(told)}"
    mark = hmac.digest(secret, body.encode(), hashlib.sha256)
    return f"{body}.{urlsafe_b64encode(mark).decode().rstrip('=')}"


def by_another_key(provider: Provider, told: dict[str, Any]) -> str:
    other = Provider(provider.issuer)
    return signed(other, told)


def by_an_unknown_key(provider: Provider, told: dict[str, Any]) -> str:
    other = Provider(provider.issuer)
    other.keys, other.kid = {"k9": new_key()}, "k9"
    return signed(other, told)


@pytest.mark.parametrize(
    ("sign", "why"),
    [
        (by_none, "none"),
        (by_the_public_key, "HS256"),
        (by_another_key, "ignature"),
        (by_an_unknown_key, "no key"),
        (lambda *_: "no token", "does not count"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_does_not_count(
    browser: TestClient, provider: Provider, sign: Any, why: str
) -> None:
    provider.sign = sign
    refused(browser, provider.authorize(begun(browser)), why)


def test_a_key_that_is_new_is_asked_for_and_one_that_is_known_is_not(
    browser: TestClient, provider: Provider
) -> None:
    for _ in range(2):
        assert back(browser, provider.authorize(begun(browser))).status_code == 303
    assert provider.keys_asked == 1
    provider.keys, provider.kid = {"k2": new_key()}, "k2"
    assert back(browser, provider.authorize(begun(browser))).status_code == 303
    assert provider.keys_asked == 2


def test_an_answer_and_a_code_count_once(browser: TestClient, provider: Provider) -> None:
    told = provider.authorize(begun(browser))
    assert back(browser, told).status_code == 303
    browser.cookies.clear()
    refused(browser, told, "did not begin it")
    fresh = provider.authorize(begun(browser))
    refused(browser, fresh | {"code": told["code"]}, "answers with 400")


def test_the_state_of_another_browser_does_not_count(
    browser: TestClient, provider: Provider
) -> None:
    others = provider.authorize(begun(browser))
    browser.cookies.clear()
    refused(browser, others, "did not begin it")
    own = begun(browser)
    refused(browser, others, "did not begin it")
    refused(browser, provider.authorize(own), "did not begin it")


@pytest.mark.parametrize("told", [{}, {"state": "x"}, {"code": "x", "state": "\ud800"}])
def test_an_answer_to_nothing_does_not_count(browser: TestClient, told: dict[str, str]) -> None:
    told = {name: value.encode("utf-8", "replace").decode() for name, value in told.items()}
    refused(browser, told, "did not begin it")


def test_what_the_provider_refuses_is_said(browser: TestClient, provider: Provider) -> None:
    state = provider.authorize(begun(browser))["state"]
    refused(browser, {"state": state, "error": "access_denied"}, "access_denied")


def test_a_name_is_one_persons_for_ever(
    browser: TestClient, provider: Provider, live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "local", PASSWORD, ["finance"])
        provider.claims = claims(sub="local")
        refused(browser, provider.authorize(begun(browser)), "another has the name")
        provider.claims = claims(sub="ended")
        assert back(browser, provider.authorize(begun(browser))).status_code == 303
        people.end(connection, "ended")
        assert browser.get("/v1/balances").status_code == 401
        refused(browser, provider.authorize(begun(browser)), "it ended")


def test_a_name_that_only_the_provider_knows_is_refused_once_it_is_ended(
    browser: TestClient, provider: Provider, live_ledger: RunningLedger
) -> None:
    provider.claims = claims(sub="never-here")
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.end(connection, "never-here")
        refused(browser, provider.authorize(begun(browser)), "it ended")
        people.undo_end(connection, "never-here")
    assert back(browser, provider.authorize(begun(browser))).status_code == 303


def test_what_the_provider_said_of_roles_is_believed_for_an_hour(
    browser: TestClient, provider: Provider, live_ledger: RunningLedger
) -> None:
    provider.claims = claims(sub="olga")
    assert back(browser, provider.authorize(begun(browser))).status_code == 303
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        (session,) = people.sessions_of(connection, "olga")
        assert session.ends_at - session.began_at == timedelta(hours=1)
        connection.execute("UPDATE web.sessions SET ends_at = now() WHERE name = 'olga'")
    again = browser.get("/accounts/a-1", headers=BROWSER)
    assert again.headers["Location"] == "/signin?next=%2Faccounts%2Fa-1"


def test_the_roles_are_those_of_the_last_sign_in(
    browser: TestClient, provider: Provider, live_ledger: RunningLedger
) -> None:
    for groups, wanted in ((["staff", "books"], ["finance", "support"]), ("books", ["finance"])):
        provider.claims = claims(sub="rosa", groups=groups)
        assert back(browser, provider.authorize(begun(browser))).status_code == 303
        with psycopg.connect(live_ledger.database_url) as connection:
            found = {each.name: each.principals for each in people.everybody(connection)}
        assert found["rosa"] == wanted


def test_a_provider_that_is_away_is_no_fault_of_ours(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    gone = Provider("http://127.0.0.1:9")
    found = provider_of(settings_of(gone, tmp_path))
    assert found is not None
    app = application(Backend(ledger_of(live_ledger)), oidc=Oidc(found))
    waiting = "SELECT count(*) FROM web.sign_ins"
    with (
        TestClient(app, raise_server_exceptions=False) as client,
        psycopg.connect(live_ledger.database_url, autocommit=True) as connection,
    ):
        before = connection.execute(waiting).fetchone()
        assert client.get("/signin/oidc").status_code == 503
        # It was asked first, while no connection to the database was held.
        assert connection.execute(waiting).fetchone() == before


def test_a_sign_in_deletes_those_that_nobody_answered_in_time(
    browser: TestClient, live_ledger: RunningLedger
) -> None:
    begun(browser)
    late = "UPDATE web.sign_ins SET ends_at = now() - interval '1 second'"
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        connection.execute(late)
        begun(browser)
        assert connection.execute("SELECT count(*) FROM web.sign_ins").fetchone() == (1,)


def test_a_provider_that_says_it_is_another_is_not_asked(
    browser: TestClient, provider: Provider
) -> None:
    provider.issuer = "https://elsewhere.example"
    assert browser.get("/signin/oidc").status_code == 403


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri"], ids=lambda name: name
)
def test_a_provider_that_does_not_say_where_to_ask_is_refused(
    browser: TestClient, provider: Provider, name: str
) -> None:
    provider.silent_about = name
    found = browser.get("/signin/oidc")
    assert found.status_code == 403
    assert f"does not say its {name}" in found.text


def test_without_a_provider_there_is_no_such_page(locked: TestClient) -> None:
    assert locked.get("/signin/oidc").status_code == 404
    assert locked.get("/signin/oidc/callback").status_code == 404
    assert "/signin/oidc" not in locked.get("/signin").text


@pytest.mark.parametrize(
    "more",
    [
        {"REFUNDS_OIDC_CLIENT_ID": None},
        {"REFUNDS_OIDC_ISSUER": None},
        {"REFUNDS_OIDC_ROLES": {}},
        {"REFUNDS_OIDC_ISSUER": "http://provider.example"},
    ],
)
def test_half_of_a_provider_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="REFUNDS_OIDC"):
        provider_of(settings_of(Provider("https://provider.example"), tmp_path, **more))

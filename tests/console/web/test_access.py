"""Who may call which route: every route by everybody, as the access matrix says."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from console.web.access import people
from ledger.log.access import EVERYBODY, read_matrix
from tests.console.ledgers import RunningLedger
from tests.console.web.browser import PASSWORD

pytestmark = pytest.mark.timeout(300)

MATRIX = read_matrix()
ROLES = sorted({right.principal for right in MATRIX.rights if right.kind == "route"} - {EVERYBODY})


@pytest.fixture(scope="module")
def tokens(live_ledger: RunningLedger) -> dict[str, str]:
    """A token of each role."""
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        return {role: people.new_token(connection, f"{role}-1", [role], 1) for role in ROLES}


def routes(client: TestClient) -> list[tuple[str, str]]:
    """Method and path of each."""
    app: Any = client.app
    inner = (each.original_router.routes for each in app.routes if hasattr(each, "original_router"))
    found = [route for some in inner for route in some if isinstance(route, APIRoute)]
    return [(method, route.path) for route in found for method in sorted(route.methods or ())]


def test_every_route_has_a_place_in_the_matrix(locked: TestClient) -> None:
    found = routes(locked)
    assert len(found) > 20
    for method, path in found:
        assert MATRIX.rights_on("route", f"{method} {path}"), (method, path)


def test_every_role_on_every_route(locked: TestClient, tokens: dict[str, str]) -> None:
    tried = 0
    for (method, path), role in itertools.product(routes(locked), [None, *ROLES]):
        rights = MATRIX.rights_on("route", f"{method} {path}")
        allowed = {right.principal for right in rights if right.operation == "CALL"}
        of_own = {right.principal for right in rights if right.operation == "OWN"}
        headers = {} if role is None else {"Authorization": f"Bearer {tokens[role]}"}
        asked = path.replace("{", "").replace("}", "")
        found = locked.request(method, asked, headers=headers).status_code
        if EVERYBODY in allowed or role in allowed:
            assert found not in {401, 403, 500}, (role, method, path, found)
        elif role in of_own:  # what of it: test_own_things
            assert found not in {401, 500}, (role, method, path, found)
        else:
            assert found == (401 if role is None else 403), (role, method, path, found)
        tried += 1
    assert tried == len(routes(locked)) * (len(ROLES) + 1)


def test_a_wrong_an_ended_and_a_made_up_token_are_nobody(
    locked: TestClient, live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        ended = people.new_token(connection, "old", ["finance"], 1)
        connection.execute("UPDATE web.tokens SET ends_at = now() WHERE name = 'old'")
    for told in (f"Bearer {ended}", "Bearer nothing", "Basic YTpi", "Bearer"):
        found = locked.get("/v1/balances", headers={"Authorization": told})
        assert found.status_code == 401, told
        assert found.headers["Content-Type"] == "application/problem+json"


def test_a_person_of_support_acts_under_the_own_name_alone(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    key = {"Authorization": f"Bearer {tokens['support']}", "Idempotency-Key": "k"}
    path = "/v1/accounts/nobody/commands/ReturnInstance"
    body = {"instance_id": "i-1", "acknowledged": True}
    named = locked.post(path, json=body, headers=key | {"Refunds-Actor": "OWNER:u-1"})
    assert named.status_code == 403
    own = locked.post(path, json=body, headers=key)
    assert own.status_code == 422
    (row,) = locked.get(
        "/v1/refusals", params={"columns": "actor_id,actor_role"}, headers=key
    ).json()["rows"][-1:]
    assert row == {"actor_id": "support-1", "actor_role": "SUPPORT"}


def test_a_token_counts_from_any_page_and_signing_in_from_our_own_alone(
    locked: TestClient, tokens: dict[str, str]
) -> None:
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    key = {"Authorization": f"Bearer {tokens['gateway']}"}
    assert locked.post("/v1/batches", content=b"", headers=elsewhere | key).status_code == 200
    form = {"name": "anna", "password": "wrong"}
    assert "another site" in locked.post("/signin", data=form, headers=elsewhere).text
    assert "are wrong" in locked.post("/signin", data=form).text


def sign_in(connection: psycopg.Connection[Any], name: str, password: str) -> str | None:
    """Sign in on one connection."""
    return people.sign_in(lambda: nullcontext(connection), name, password)


def test_no_connection_is_held_while_a_password_is_verified(
    live_ledger: RunningLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []

    @contextmanager
    def connections() -> Iterator[psycopg.Connection[Any]]:
        held.append("one")
        with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
            yield connection
        held.pop()

    def verified(digest: str, password: str) -> bool:
        assert not held
        with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE web.people SET locked_until = now() + interval '1 hour' WHERE name = 'dora'"
            )
        return True

    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "dora", PASSWORD, ["finance"])
    monkeypatch.setattr(people, "_right", verified)
    with pytest.raises(people.Locked):
        people.sign_in(connections, "dora", PASSWORD)


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    assert not PasswordHasher().check_needs_rehash(people._NOBODY)


def test_a_password_signs_in_and_five_wrong_ones_lock(live_ledger: RunningLedger) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        assert people.add(connection, "anna", PASSWORD, ["support"])
        assert not people.add(connection, "anna", PASSWORD, ["support"])
        session = sign_in(connection, "anna", PASSWORD)
        assert session is not None
        signed = people.of_session(connection, session)
        assert signed is not None
        assert (signed.name, signed.principals) == ("anna", ["support"])
        people.sign_out(connection, session)
        assert people.of_session(connection, session) is None
        for _ in range(people.FAILURES):
            assert sign_in(connection, "anna", "wrong") is None
        with pytest.raises(people.Locked):
            sign_in(connection, "anna", PASSWORD)


def test_who_has_ended_and_who_was_never_there_sign_in_alike(live_ledger: RunningLedger) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "bert", PASSWORD, ["finance"])
        session = sign_in(connection, "bert", PASSWORD)
        assert session is not None
        people.end(connection, "bert")
        assert people.of_session(connection, session) is None
        assert sign_in(connection, "bert", PASSWORD) is None
        assert sign_in(connection, "nobody", PASSWORD) is None


def test_a_token_ends_with_its_name(locked: TestClient, live_ledger: RunningLedger) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        key = {"Authorization": f"Bearer {people.new_token(connection, 'lost', ['finance'], 1)}"}
        assert locked.get("/v1/balances", headers=key).status_code == 200
        assert people.end(connection, "lost") == people.Ended(known=True, sessions=0, tokens=1)
        assert locked.get("/v1/balances", headers=key).status_code == 401
        assert people.end(connection, "lost") == people.Ended(known=True, sessions=0, tokens=0)
        later = {"Authorization": f"Bearer {people.new_token(connection, 'lost', ['finance'], 1)}"}
        assert locked.get("/v1/balances", headers=later).status_code == 401
        assert people.undo_end(connection, "lost")
        assert locked.get("/v1/balances", headers=later).status_code == 200
        assert locked.get("/v1/balances", headers=key).status_code == 401


def test_a_name_that_may_return_loses_what_is_open_and_signs_in_again(
    live_ledger: RunningLedger,
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "rita", PASSWORD, ["finance"])
        session, token = (
            sign_in(connection, "rita", PASSWORD) or "",
            people.new_token(connection, "rita", ["finance"], 1),
        )
        ended = people.end(connection, "rita", may_return=True)
        assert ended == people.Ended(known=True, sessions=1, tokens=1)
        assert people.of_session(connection, session) is None
        assert people.of_token(connection, token) is None
        assert sign_in(connection, "rita", PASSWORD) is not None
        people.end(connection, "rita")
        assert sign_in(connection, "rita", PASSWORD) is None
        assert people.undo_end(connection, "rita")
        assert not people.undo_end(connection, "rita")
        assert sign_in(connection, "rita", PASSWORD) is not None


def test_a_name_that_was_ended_before_anybody_had_it_has_no_password(
    live_ledger: RunningLedger,
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        ended = people.end(connection, "unseen")
        assert ended == people.Ended(known=False, sessions=0, tokens=0)
        assert sign_in(connection, "unseen", PASSWORD) is None
        assert not people.add(connection, "unseen", PASSWORD, ["finance"])
        assert people.undo_end(connection, "unseen")
        assert people.add(connection, "unseen", PASSWORD, ["finance"])


def test_an_idle_session_ends(live_ledger: RunningLedger) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "cara", PASSWORD, ["finance"])
        session = sign_in(connection, "cara", PASSWORD) or ""
        connection.execute("UPDATE web.sessions SET used_at = now() - interval '61 minutes'")
        assert people.of_session(connection, session) is None


def test_a_short_password_is_refused(live_ledger: RunningLedger) -> None:
    with (
        psycopg.connect(live_ledger.database_url, autocommit=True) as connection,
        pytest.raises(ValueError, match="at least 12"),
    ):
        people.add(connection, "dora", "short", ["finance"])


def test_metrics_count_requests_by_route_and_not_by_what_strangers_ask(client: TestClient) -> None:
    for number in range(3):
        assert client.get(f"/no/such/{number}").status_code == 404
    assert client.get("/v1/accounts/nobody-at-all/eligibility").status_code == 404
    assert client.request("ODD", "/livez").status_code == 405
    told = client.get("/metrics").text
    assert 'refunds_http_requests_total{method="none",route="none",status="404"}' in told
    assert 'refunds_http_requests_total{method="none",route="/livez",status="405"}' in told
    eligibility = "/v1/accounts/{account_id}/eligibility"
    assert f'refunds_http_requests_total{{method="GET",route="{eligibility}",status="404"}}' in told
    assert "ODD" not in told
    assert "nobody-at-all" not in told
    assert "/no/such" not in told


_MANY_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from benchmarks.kit import peak_megabytes
from console.web.access import people

def guessed(password):
    return people._right(people._NOBODY, password)

people.PATIENCE_SECONDS = 600
with ThreadPoolExecutor(40) as pool:
    assert not any(pool.map(guessed, ["guess"] * 40))
print(peak_megabytes())
"""


def test_strangers_who_sign_in_at_once_take_little_memory() -> None:
    """To verify one password takes 64 MiB, and as many requests as there are threads may ask. (The
    peak that the system counts for a process begins with that of the process that started it.)
    """
    done = subprocess.run(
        [sys.executable, "-c", _MANY_AT_ONCE], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 400


def test_who_waits_too_long_to_sign_in_is_told(
    locked: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(people, "_verifying", threading.BoundedSemaphore(1))
    form = {"name": "nobody", "password": "guess"}
    with people._verifying:
        assert locked.post("/signin", data=form).status_code == 503
    assert locked.post("/signin", data=form).status_code == 403


@pytest.mark.parametrize("asked", ["/v1/balances?account=nobody", "/v1/balances?account=%00"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_an_answer_that_tells_an_error_stays_in_no_cache(
    client: TestClient, asked: str, accept: str
) -> None:
    found = client.get(asked, headers={"Accept": accept})
    assert found.status_code in {400, 404}
    assert found.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/\\elsewhere.example/x"])
def test_no_link_of_a_page_leads_to_a_site_that_its_address_names(
    client: TestClient, path: str
) -> None:
    found = client.get(f"http://testserver{path}", headers={"Accept": "text/html"})
    assert found.status_code == 404
    assert 'href="/elsewhere.example/x?lang=zh"' in found.text
    assert not re.search(r'href="(/[/\\]|[^/#])', found.text)

"""What another site's page makes a browser send is refused, before anything is asked."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from console.running.ledger_locator import Ledger
from console.web.application import application
from console.web.backend import Backend

NOBODY = Ledger(
    bootstrap="127.0.0.1:9", database_url="postgresql://127.0.0.1:9/none", partition_count=1
)


@pytest.fixture
def opened() -> TestClient:
    """As `serve --open` does it, with neither brokers nor a database."""
    app = application(Backend(NOBODY), everything_open=True)
    return TestClient(app, base_url="http://localhost:8080")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9000"},
        {"Origin": "http://[", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_another_sites_page_publishes_nothing(opened: TestClient, headers: dict[str, str]) -> None:
    found = opened.post("/v1/batches", content=b"", headers=headers)
    assert found.status_code == 403
    assert "another site" in found.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"},
    ],
)
def test_a_program_and_our_own_pages_may(opened: TestClient, headers: dict[str, str]) -> None:
    assert opened.post("/v1/batches", content=b"", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example:8080", "", "["])
def test_a_name_that_is_not_ours_shows_nothing(opened: TestClient, host: str) -> None:
    found = opened.get("/livez", headers={"Host": host})
    assert found.status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])
def test_every_name_of_this_machine_is_served(opened: TestClient, host: str) -> None:
    assert opened.get("/livez", headers={"Host": host}).status_code == 200

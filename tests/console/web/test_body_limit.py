"""A body that is too long is refused by every route that reads one."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from console.web.access.body_limit import MOST_BYTES
from console.web.problems import PROBLEM
from tests.console.web.test_own_site import opened

__all__ = ["opened"]
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/accounts/a/commands/ChangeCard", "application/json"),
        ("/v1/clock", "application/json"),
        ("/signin", FORM),
    ],
)
def test_a_body_that_is_too_long_is_a_413(opened: TestClient, path: str, kind: str) -> None:
    headers = {"Content-Type": kind, "Idempotency-Key": "k", "Refunds-Actor": "BILLING:billing"}
    found = opened.post(path, content=b"x" * (MOST_BYTES + 1), headers=headers)
    assert found.status_code == 413
    assert found.headers["Content-Type"] == PROBLEM
    assert str(MOST_BYTES) in found.json()["detail"]


def test_a_body_of_just_that_length_is_read(opened: TestClient) -> None:
    found = opened.post("/v1/clock", content=b"x" * MOST_BYTES)
    assert found.status_code == 400


def test_a_batch_may_be_longer(opened: TestClient) -> None:
    assert opened.post("/v1/batches", content=b"\n" * (MOST_BYTES + 1)).status_code == 200

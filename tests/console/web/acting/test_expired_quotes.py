"""A quote whose time is over: told, and a new one beside the old amount."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from tests.console.ledgers import RunningLedger
from tests.console.web.acting.accounts import events_of, present, record_order, told, with_instance
from tests.console.web.acting.forms import follow, form_of, press, send
from tests.console.web.acting.test_instances import begin
from tests.console.web.browser import BROWSER
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of
from tests.console.web.test_api import give

pytestmark = pytest.mark.timeout(300)

AS = {"as": "OWNER:u-1"}


@pytest.fixture(scope="module")
def sandbox(sandbox_ledger: RunningLedger) -> Iterator[TestClient]:
    """The application over a sandbox in 2031."""
    with asked_by_anybody(ledger_of(sandbox_ledger)) as client:
        client.post("/v1/clock", json={"to": "2031-01-01T00:00:00Z"})
        yield client


def wait(client: TestClient, minutes: int) -> None:
    """Let the ledger's clock go on."""
    later = told(present(client) + timedelta(minutes=minutes))
    assert client.post("/v1/clock", json={"to": later}).status_code == 200


def test_a_quote_that_expired_is_told_and_a_new_one_stands_beside_the_old(
    sandbox: TestClient,
) -> None:
    with_instance(sandbox, "expired-1")
    record_order(sandbox, "expired-1", "o-2", "i-2", cash="300.00")
    body = {"instance_id": "i-2", "acknowledged": True}
    assert give(sandbox, "expired-1", "ReturnInstance", body, "x", "SUPPORT:s").status_code == 200
    first = begin(sandbox, "expired-1", "ReturnInstance")
    listed = press(sandbox, first, "quote", acknowledged="yes", **AS)
    assert "This amount is valid until" in listed.text
    form = form_of(follow(sandbox, listed, "step=confirm"), "act")
    wait(sandbox, 16)
    late = send(sandbox, form, "act")
    assert "The quote has expired." in late.text
    assert "InstanceIsolated" not in events_of(sandbox, "expired-1")[6:]
    assert "CommandRefused" not in events_of(sandbox, "expired-1")
    reloaded = sandbox.get(str(listed.url), headers=BROWSER)
    with pytest.raises(AssertionError):
        form_of(reloaded, "act")
    renewed = press(sandbox, reloaded, "quote")
    assert "<del>" in renewed.text
    assert "Ask for a new quote" not in renewed.text
    again = follow(sandbox, renewed, "step=confirm")
    assert "Submitted" in press(sandbox, again, "act").text


def test_what_was_done_in_time_is_still_found_after_it(sandbox: TestClient) -> None:
    with_instance(sandbox, "expired-2")
    first = begin(sandbox, "expired-2", "ReturnInstance")
    listed = press(sandbox, first, "quote", acknowledged="yes", **AS)
    form = form_of(follow(sandbox, listed, "step=confirm"), "act")
    done = send(sandbox, form, "act")
    wait(sandbox, 16)
    assert send(sandbox, form, "act").url == done.url
    assert events_of(sandbox, "expired-2").count("RefundIssued") == 1

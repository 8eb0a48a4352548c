"""The read models of all example files, and the application over them; no broker is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from console.running.ledger_locator import Ledger
from console.submitting.command_files import read_bytes, read_lines
from console.submitting.scenario_runner import AnswerBook, run_scenario
from console.terminal.output import version
from console.web.access import people
from console.web.application import application
from consumers.sandbox.simulation import Simulation
from devstack import Services
from ledger.terms.table import released_terms
from ledger.values.instants import DAY
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.shapes import Channel
from projector.migrations import migrate
from tests.bodies import line, order
from tests.console.web.browser import BROWSER
from tests.console.web.conftest import asked_by_anybody
from tests.projector.shown import of_account, show
from tests.projector.views.test_settlement_flows import card_changed, failed
from tests.scenario import Scenario
from tests.services import fresh_database

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.jsonl"))
ODD = ("a/b", "a?b=c", "a#b", "a b", "账户")
NOBODY = "127.0.0.1:9"


def events_of(example: Path) -> list[RecordedEvent]:
    """What the ledger decides of a file of commands, with reactions and timers."""
    lines = read_lines(example, read_bytes(example), require_at=True)
    world = Simulation(released_terms(), version())
    steps = run_scenario(world, world.take_events, lines, AnswerBook())
    return [event for step in steps for event in step.events]


def of_odd_account(account: str) -> SimpleNamespace:
    """The first example as if it were of another account."""
    events = events_of(EXAMPLES[0])
    metas = [replace(event.meta, account_id=account) for event in events]
    return SimpleNamespace(
        recorded=[replace(event, meta=meta) for event, meta in zip(events, metas, strict=True)]
    )


def with_a_promotion_order() -> Scenario:
    """An instance that its owner cannot return, and support can; it runs for long."""
    s = Scenario("acct-long").opened()
    bought = order("o-1", line("i-1"), channel=Channel.PROMOTION, starts_at=s.now)
    s.give(replace(bought, ends_at=s.now + 40 * 365 * DAY))
    return s


def fill(database_url: str) -> list[RecordedEvent]:
    """Show every example whose accounts no earlier one has; their events."""
    seen: set[str] = set()
    stories: list[Any] = []
    for example in EXAMPLES:
        events = events_of(example)
        accounts = {event.meta.account_id for event in events}
        if not accounts & seen:
            seen |= accounts
            stories.append(SimpleNamespace(recorded=events))
    stories += [of_odd_account(account) for account in ODD]
    stories.append(with_a_promotion_order())
    stories += [of_account(failed(), "acct-failed"), of_account(card_changed(), "acct-card")]
    migrate(database_url)
    return show(database_url, stories)


def main_of(page: str) -> str:
    """What a page says, without what is around it."""
    return page.partition("<main")[2].partition("</main>")[0]


class Shown:
    """A filled database, and the application over it."""

    def __init__(self, database_url: str, events: list[RecordedEvent], client: TestClient) -> None:
        self.database_url, self.events, self.client = database_url, events, client
        self.locked = TestClient(application(client.app.state.backend))  # type: ignore[attr-defined]

    def headers(self, name: str, role: str) -> dict[str, str]:
        """Those of somebody who is signed in."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            token = people.new_token(connection, name, [role], 1)
        return BROWSER | {"Authorization": f"Bearer {token}"}

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        found = self.client.get(path, headers=BROWSER)
        assert found.status_code == status, (path, main_of(found.text))
        return found.text

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, changed or not."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            found = connection.execute(query.encode(), values)
            return found.fetchall() if found.description else []


@pytest.fixture(scope="module")
def shown(services: Services) -> Iterator[Shown]:
    """For the tests of a module."""
    with fresh_database(services.database_url) as url:
        events = fill(url)
        ledger = Ledger(bootstrap=NOBODY, database_url=url, partition_count=2)
        with asked_by_anybody(ledger) as client:
            yield Shown(url, events, client)

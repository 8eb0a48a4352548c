"""Every room over a ledger with all examples: nobody is kept out; two people and one task."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from console.running.ledger_locator import Ledger
from console.web.access import people
from console.web.application import application
from console.web.backend import Backend
from devstack import Services
from tests.browser.visitor import PASSWORD, Visitor
from tests.console.web.pages.conftest import NOBODY, fill
from tests.console.web.serving import served
from tests.services import fresh_database

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOMS = (
    "/",
    "/accounts/acct-long",
    "/accounts/acct-card/statement",
    "/accounts/acct-card/events",
    "/recycle-bin",
    "/marketplace",
    "/work",
    "/events",
    "/books",
    "/rules",
    "/sessions",
)


@pytest.fixture(scope="module")
def site(services: Services) -> Iterator[str]:
    """Read models of every example file; no broker answers."""
    with fresh_database(services.database_url) as url:
        fill(url)
        with psycopg.connect(url, autocommit=True) as connection:
            for name in ("emma", "sam"):
                people.add(connection, name, PASSWORD, ["support", "finance"])
        ledger = Ledger(bootstrap=NOBODY, database_url=url, partition_count=2)
        with served(application(Backend(ledger))) as found:
            yield found


@pytest.mark.parametrize("path", ROOMS)
def test_a_room_keeps_nobody_out(visitor: Visitor, path: str) -> None:
    visitor.sign_in("emma")
    assert visitor.go(path) == 200
    visitor.sees_a_page_for_everybody()


def test_the_second_of_two_people_is_told_who_has_the_task(
    visitor: Visitor, page: Page, chromium: Browser, site: str
) -> None:
    other = chromium.new_context()
    sam = Visitor(other.new_page(), site)
    visitor.sign_in("emma", to="/work")
    sam.sign_in("sam", to="/work")
    page.locator("#tasks").get_by_role("button", name="Take").first.click()
    expect(page.locator("#tasks")).to_contain_text("you")
    sam.page.locator("#tasks").get_by_role("button", name="Take").first.click()
    expect(sam.page.get_by_role("heading", level=1)).to_have_text("emma has it already")
    sam.page.get_by_role("link", name="Back to the work").click()
    expect(sam.page.locator("#tasks")).to_contain_text("emma")
    other.close()

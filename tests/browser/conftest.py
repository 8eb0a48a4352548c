"""Debian's Chromium, driven by Playwright, on pages that a real ledger serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from console.web.access import people
from console.web.application import application
from console.web.backend import Backend
from devstack import Services
from tests import services as real
from tests.browser.visitor import PASSWORD, Visitor
from tests.console.ledgers import RunningLedger, running_ledger
from tests.console.web.serving import ledger_of, served

# A browser that starts looks for updates and asks its maker for names; this one stays here.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; skipped, loudly, on a machine without one.

    Its driver keeps an event loop in this thread: it must have ended before others run one.
    """
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium; install it (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ledger(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLedger]:
    """A ledger in the world's own time, for the tests of a module."""
    with real.fresh_database(services.database_url) as url:
        folder = tmp_path_factory.mktemp("live")
        with running_ledger(services.bootstrap, url, folder, sandbox=False) as found:
            yield found


@pytest.fixture(scope="module")
def site(ledger: RunningLedger) -> Iterator[str]:
    """Where its pages are; whoever comes has to sign in, as `emma` of support or `finn` of
    finance.
    """
    with psycopg.connect(ledger.database_url, autocommit=True) as connection:
        people.add(connection, "emma", PASSWORD, ["support"])
        people.add(connection, "sam", PASSWORD, ["support"])
        people.add(connection, "finn", PASSWORD, ["finance"])
    with served(application(Backend(ledger_of(ledger)))) as url:
        yield url


@pytest.fixture(scope="module")
def billing(ledger: RunningLedger, site: str) -> Iterator[httpx2.Client]:
    """Upstream billing, by the HTTP API."""
    with psycopg.connect(ledger.database_url, autocommit=True) as connection:
        token = people.new_token(connection, "billing", ["gateway", "operator"], 1)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=site, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody who was never here."""
    with_nothing = chromium.new_context(locale="en-GB", timezone_id="UTC")
    yield with_nothing
    with_nothing.close()


@pytest.fixture
def visitor(context: BrowserContext, site: str) -> Iterator[Visitor]:
    """Somebody with a new browser; an error in its console fails the test."""
    found = Visitor(context.new_page(), site)
    yield found
    assert found.errors == []


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """The visitor's page."""
    return visitor.page

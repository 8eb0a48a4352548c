"""`make demo KEEP=1`: somebody signs in as it says, and returns the instance that is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from devstack import destroy
from tests.browser.pictures import take
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ACCOUNT = "/accounts/acct-tea-shop"
BEFORE, AFTER = "1183.76", "1591.72"
"""The balance: 1183.76 + 407.96, all that was paid."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the demonstration printed; its stack runs."""
    home = tmp_path_factory.mktemp("demo") / "home"
    hidden = ("KAFKA_BOOTSTRAP", "DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "console.main", "demo", "--keep"],
            env={**environment, "REFUNDS_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield done.stdout
    finally:
        destroy(Path(home))


def test_a_person_signs_in_returns_an_instance_and_sees_it_everywhere(
    chromium: Browser, told: str
) -> None:
    found = re.search(r"(http://\S+)/ as (\S+), with the password (\S+)", " ".join(told.split()))
    assert found is not None
    site, name, password = found.groups()
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    visitor = Visitor(context.new_page(), site)
    visitor.sign_in(name, password=password)
    take(visitor.page, "overview")
    pages = {path: context.new_page() for path in (ACCOUNT, f"{ACCOUNT}/statement", "/recycle-bin")}
    for path, page in pages.items():
        page.goto(site + path)
        page.evaluate("window.neverLoadedAgain = true")
    expect(pages[ACCOUNT].get_by_role("main")).to_contain_text(BEFORE)
    take(pages[ACCOUNT], "account")
    return_it(visitor)
    for path, text in (
        (ACCOUNT, AFTER),
        (f"{ACCOUNT}/statement", AFTER),
        ("/recycle-bin", "redis-3"),
    ):
        pages[path].bring_to_front()
        expect(pages[path].get_by_role("main")).to_contain_text(text, timeout=30_000)
    for page in pages.values():
        assert page.evaluate("window.neverLoadedAgain") is True
    assert visitor.errors == []
    context.close()


def return_it(visitor: Visitor) -> None:
    """By the wizard, from the account's page."""
    page: Page = visitor.page
    visitor.go(ACCOUNT)
    page.get_by_role("main").locator('a[href*="/acts/ReturnInstance"]').first.click()
    visitor.ask_for_the_amount()
    expect(page.get_by_role("main")).to_contain_text("407.96 CNY")
    take(page, "return")
    visitor.confirm_the_refund()
    expect(page.get_by_role("main")).to_contain_text("Submitted")

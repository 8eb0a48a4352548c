"""A person at a browser: signs in, follows links, fills in forms, and sees what there is."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Page

PASSWORD = "correct horse battery staple"
SERIOUS = ("serious", "critical")


class Visitor:
    """One page of one browser. `errors` are what its console complained of."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.errors: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", self._failed)

    def go(self, path: str) -> int:
        """Open a page; its status."""
        answer = self.page.goto(self.site + path)
        assert answer is not None
        return answer.status

    def sign_in(self, name: str, to: str = "/", password: str = PASSWORD) -> None:
        """By the form, and on to a page."""
        self.go(f"/signin?next={to}")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.site + to)

    def ask_for_the_amount(self) -> None:
        """From the rules of a return to the list with amounts."""
        self.page.get_by_label("Read and agreed").check()
        self.page.get_by_role("button", name="Show the amount").click()

    def confirm_the_refund(self) -> None:
        """From the list with amounts, asked once more, to the progress."""
        self.page.get_by_role("main").get_by_role("link", name="Confirm").click()
        self.page.get_by_role("button", name="Confirm the refund").click()

    def sees_a_page_for_everybody(self) -> None:
        """Nothing keeps people out, in the dark neither; nothing is wider than a telephone."""
        assert self.serious_findings() == []
        self.page.emulate_media(color_scheme="dark")
        assert self.serious_findings() == []
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 320, "height": 640})
        assert not self.wider_than_the_screen()
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def serious_findings(self) -> list[str]:
        """What axe-core finds on this page that keeps people out."""
        found = json.loads(json.dumps(Axe().run(self.page).response["violations"]))
        return [
            f"{each['id']}: {each['help']} ({each['nodes'][0]['html'][:200]})"
            for each in found
            if each["impact"] in SERIOUS
        ]

    def wider_than_the_screen(self) -> bool:
        """Does the page scroll sideways?"""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _failed(self, error: Error) -> None:
        self.errors.append(str(error))

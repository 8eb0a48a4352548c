"""An id in a path may have every character."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.console.web.browser import BROWSER
from tests.console.web.test_api import OPENING, give

pytestmark = pytest.mark.timeout(300)
ODD = ("a/b", "a?b=c", "a#b", "a b", "账户/一", "a%2Fb", "100%", "../a")


@pytest.mark.parametrize("account", ODD)
def test_an_account_is_found_by_its_path_whatever_its_id(client: TestClient, account: str) -> None:
    given = give(client, quote(account, safe=""), "OpenAccount", OPENING, "open/now?")
    assert given.json().get("account") == account, given.text
    assert client.get(given.headers["Location"]).json() == given.json()
    page = client.get(f"/accounts/{quote(account, safe='')}", headers=BROWSER)
    assert page.status_code == 200
    shown = client.get("/lists/accounts", headers=BROWSER).text
    assert f'href="/accounts/{quote(account, safe="")}"' in shown


def test_who_signs_in_comes_back_to_the_page_of_an_odd_id(locked: TestClient) -> None:
    found = locked.get("/accounts/a%2Fb%3Fc", headers=BROWSER, follow_redirects=False)
    assert found.headers["Location"] == "/signin?next=%2Faccounts%2Fa%252Fb%253Fc"

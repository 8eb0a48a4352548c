"""What a browser sends to the pages, and how a person signs in."""

from __future__ import annotations

import re

from httpx2 import Client

BROWSER = {"Accept": "text/html"}
PASSWORD = "correct horse battery staple"


def sign_in(client: Client, name: str) -> None:
    """Sign a person in who has the password."""
    client.post("/signin", data={"name": name, "password": PASSWORD})


def csrf_of(page: str) -> str:
    """What a form of the page sends to show that it is the session's own."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]

"""What a browser sends to the pages, and how a person signs in."""

from __future__ import annotations

from httpx2 import Client

BROWSER = {"Accept": "text/html"}
PASSWORD = "correct horse battery staple"


def sign_in(client: Client, name: str) -> None:
    """Sign a person in who has the password."""
    client.post("/signin", data={"name": name, "password": PASSWORD})

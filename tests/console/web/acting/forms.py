"""A browser without scripts: reads the forms of a page, fills one, and sends it."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from fastapi.testclient import TestClient
from httpx2 import Response
from msgspec import Struct

from tests.console.web.browser import BROWSER


class Form(Struct, kw_only=True):
    """A form of a page: where it is sent, and what stands in its fields."""

    action: str
    method: str
    fields: dict[str, str]
    boxes: dict[str, str]
    buttons: list[tuple[str, str]]


def forms_of(page: Response) -> list[Form]:
    """Every form of a page, in order."""
    reader = _Reader()
    reader.feed(page.text)
    return reader.found


def form_of(page: Response, value: str) -> Form:
    """The form that has the button with this value."""
    for form in forms_of(page):
        if any(value in button for button in form.buttons):
            return form
    raise AssertionError(f"no form of {page.url} has a button {value!r}: {page.text}")


def press(client: TestClient, page: Response, value: str, **typed: str) -> Response:
    """Fill the form that has the button, and press it; a box is ticked by its value."""
    return send(client, form_of(page, value), value, **typed)


def send(client: TestClient, form: Form, value: str, **typed: str) -> Response:
    """Send a form by the button with the value."""
    name, pressed = next(button for button in form.buttons if value in button)
    unknown = typed.keys() - form.fields.keys() - form.boxes.keys()
    assert not unknown, f"the form has no {unknown}: {form}"
    told = {**form.fields, **typed} | ({name: pressed} if name else {})
    if form.method == "post":
        return client.post(form.action, data=told, headers=BROWSER)
    return client.get(form.action, params=told, headers=BROWSER)


def follow(client: TestClient, page: Response, part: str) -> Response:
    """Go to the first link whose address has the part."""
    addresses = map(unescape, re.findall(r'href="([^"]+)"', page.text))
    found = next((each for each in addresses if part in each), None)
    assert found is not None, f"no link of {page.url} has {part!r}: {page.text}"
    return client.get(found, headers=BROWSER)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._selected: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = said.get("method", "get")
            action = said.get("action", "")
            self.found.append(Form(action=action, method=method, fields={}, boxes={}, buttons=[]))
        elif self.found:
            self._field(tag, said)

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.found[-1].fields[self._area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None

    def _field(self, tag: str, said: dict[str, str]) -> None:
        form, name = self.found[-1], said.get("name", "")
        if tag == "button":
            form.buttons.append((name, said.get("value", "")))
        elif tag == "select":
            self._selected = name
            form.fields[name] = ""
        elif tag == "option" and "selected" in said and self._selected is not None:
            form.fields[self._selected] = said.get("value", "?")
        elif tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "input" and said.get("type") == "checkbox":
            form.boxes[name] = said.get("value", "on")
            if "checked" in said:
                form.fields[name] = said.get("value", "on")
        elif tag == "input" and name:
            form.fields[name] = said.get("value", "")

"""Pictures of pages for the README and the docs: taken where PICTURES=1 asks for them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def take(page: Page, name: str) -> None:
    """Write what the page shows as docs/pictures/NAME.png."""
    if os.environ.get("PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        page.screenshot(path=FOLDER / f"{name}.png")

"""Light or dark: as the person chose, or as the machine is set."""

from __future__ import annotations

from fastapi import Request

THEMES = ("auto", "light", "dark")


def theme_of(request: Request) -> str:
    """The colours of the address or of the cookie; `auto` follows the machine."""
    asked = request.query_params.get("theme") or request.cookies.get("theme")
    return asked if asked in THEMES else "auto"

"""The pages of this room."""

from __future__ import annotations

from console.web.pages.work import letters, marketplace, tasks

PAGES = (letters, marketplace, tasks)

"""The pages of this room."""

from __future__ import annotations

from console.web.pages.webhooks import forms, routes

PAGES = (routes, forms)

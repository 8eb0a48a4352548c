"""Signing in, and what waits for a second person."""

from __future__ import annotations

from fastapi import APIRouter

from console.web.pages.signing_in import approvals, provider, routes, sessions

router = APIRouter()
for each in (routes, provider, sessions, approvals):
    router.include_router(each.router)

"""Who may read the free texts of commands and events; others see a word in their place."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from psycopg import Connection

from console.sealing.showing import Opener
from console.web.access.guard import caller_of
from console.web.backend import Backend

READERS = frozenset({"support", "auditor", "operator"})


def may_read_texts(request: Request) -> bool:
    """Whether who asks may read them."""
    return bool(caller_of(request).principals & READERS)


def opener_for(request: Request, backend: Backend, connection: Connection[Any]) -> Opener:
    """Shows texts as far as who asks may read them, and this program has the keys."""
    return backend.opener(connection, may_read=may_read_texts(request))

"""A database with the tables of secrets, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from projector.migrations import migrate


@pytest.fixture
def url(database: str) -> str:
    migrate(database)
    return database


@pytest.fixture
def connection(url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened

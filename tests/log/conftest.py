"""A fresh world per test, in memory and on Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.log.worlds import MemoryWorld, World


@pytest.fixture(params=["memory"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = MemoryWorld()
    yield made
    made.close()

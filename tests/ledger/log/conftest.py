"""A fresh world per test, in memory and on Kafka."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack import Services
from tests.ledger.log.worlds import KafkaWorld, MemoryWorld, World


@pytest.fixture
def kafka_world(services: Services) -> Iterator[KafkaWorld]:
    made = KafkaWorld(services.bootstrap)
    yield made
    made.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    made: KafkaWorld = request.getfixturevalue("kafka_world")
    return made

"""A publisher told of a failure may publish again, and nothing of the failure comes late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import Plan, destroy, up
from devstack.status import Detour
from devstack.system.ports import take_ports
from ledger.log.kafka import KafkaSettings, KafkaTools, create_topics
from ledger.log.kafka.client.settings import with_times
from ledger.log.seam import LogUnavailable, Topic
from tests.ledger.log.worlds import command
from tests.torture.proxy import Fault, Mode, Proxy, kafka_request

pytestmark = pytest.mark.integration

SHORT = {
    "request_timeout_ms": 1_000.0,
    "transaction_timeout_ms": 1_500.0,
    "delivery_timeout_ms": 2_000.0,
}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """The way to a broker of the test's own."""
    ports = take_ports({"listened": 0, "told": 0})
    home = tmp_path / "home"
    made = Proxy(ports["told"], ports["listened"])
    try:
        up(home, Plan(detours=(Detour(**ports),), durable=False))
        yield made
    finally:
        destroy(home)
        made.close()


def test_after_a_failure_the_publisher_publishes_again(proxy: Proxy) -> None:
    bootstrap = f"127.0.0.1:{proxy.listened}"
    settings = with_times(KafkaSettings(bootstrap=bootstrap, partition_count=1), SHORT)
    create_topics(settings)
    tools = KafkaTools(settings)
    tools.publish([command(b"one")])
    proxy.strike(Fault(mode=Mode.CUT, seconds=60.0, spots=kafka_request("Produce")))
    with pytest.raises(LogUnavailable):
        tools.publish([command(b"two")])
    proxy.heal()
    tools.publish([command(b"three")])
    assert [found.value for found in tools.replay(Topic.COMMANDS)] == [b"one", b"three"]
    tools.close()

"""A detour: clients that come by it are told to come by it again, others know nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from devstack import Plan, up
from devstack.status import Detour
from devstack.system.ports import take_ports
from tests.torture.proxy import Proxy

pytestmark = pytest.mark.integration


def told_ports(bootstrap: str) -> set[int]:
    """The ports at which a client that asks there is told to find the brokers."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return {each["port"] for each in admin.describe_cluster()["brokers"]}
    finally:
        admin.close()


def test_a_client_stays_on_the_way_it_came_by(home: Path) -> None:
    ports = take_ports({"listened": 0, "told": 0})
    detour = Detour(listened=ports["listened"], told=ports["told"])
    seen = up(home, Plan(detours=(detour,), durable=False))
    proxy = Proxy(detour.told, detour.listened)
    try:
        assert told_ports(f"127.0.0.1:{detour.told}") == {detour.told}
        assert seen.bootstrap is not None
        assert told_ports(seen.bootstrap) == {int(seen.bootstrap.partition(":")[2])}
    finally:
        proxy.close()

"""The brokers of a cluster know each other, and keep every record as often as they must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from devstack.kafka.broker import Broker, cluster_id_in, is_name, names
from devstack.postgres import database
from devstack.status import Launch, Layout, Plan
from devstack.supervising.blueprint import draw


@pytest.fixture(autouse=True)
def _no_database(tmp_path: Path) -> Iterator[None]:
    """A plan takes a folder elsewhere for the database that is never started."""
    yield
    for pointer in tmp_path.rglob("elsewhere"):
        database.remove(pointer.parent)


def brokers(home: Path, count: int, principals: tuple[str, ...] = ()) -> tuple[Broker, ...]:
    """Those of a plan whose database is not asked."""
    launch = Launch(
        plan=Plan(brokers=count, principals=principals),
        last_ports={},
        java=Path("java"),
        classpath=(),
        archive=home / "archive",
    )
    layout = Layout(home=home)
    layout.create()
    return draw(layout, launch).brokers


def settings_of(node: Broker) -> dict[str, str]:
    node.configure()
    lines = (node.folder / "server.properties").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_three_brokers_are_one_cluster_and_each_is_itself(tmp_path: Path) -> None:
    nodes = brokers(tmp_path, 3)
    told = [settings_of(node) for node in nodes]
    assert [each["node.id"] for each in told] == ["1", "2", "3"]
    assert len({each["controller.quorum.voters"] for each in told}) == 1
    assert len({each["advertised.listeners"] for each in told}) == 3
    assert len({node.cluster_id for node in nodes}) == 1
    assert [node.folder.name for node in nodes] == list(names(3))


@pytest.mark.parametrize(("count", "replicas", "in_sync"), [(1, "1", "1"), (3, "3", "2")])
def test_what_the_brokers_keep_for_themselves_is_kept_as_safely_as_the_ledger(
    tmp_path: Path, count: int, replicas: str, in_sync: str
) -> None:
    told = settings_of(brokers(tmp_path, count)[0])
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert told[f"{topic}.replication.factor"] == replicas
    for name in ("min.insync.replicas", "transaction.state.log.min.isr"):
        assert told[name] == in_sync


def test_a_broker_whose_folder_was_lost_joins_the_cluster_of_the_others(tmp_path: Path) -> None:
    first, second, _ = brokers(tmp_path, 3)
    (first.folder / "data").mkdir(parents=True)
    kept = f"#made\nnode.id=1\ncluster.id={first.cluster_id}\n"
    (first.folder / "data" / "meta.properties").write_text(kept, encoding="utf-8")
    assert cluster_id_in([second.folder, first.folder]) == first.cluster_id
    again = brokers(tmp_path, 3)
    assert {node.cluster_id for node in again} == {first.cluster_id}
    assert again[0].format_argv is None
    assert first.cluster_id in (again[1].format_argv or ())


def test_one_of_several_is_content_with_less_memory(tmp_path: Path) -> None:
    (alone,) = brokers(tmp_path, 1)
    assert "-Xmx1g" in alone.argv
    assert "-Xmx512m" in replace(alone, controller_ports=(1, 2, 3)).argv


def test_the_names_of_brokers_are_known_from_those_of_apps() -> None:
    assert all(map(is_name, names(3)))
    assert not any(map(is_name, ("kafka-ui", "decider-2", "postgres")))


def test_secured_brokers_have_no_listener_without_tls(tmp_path: Path) -> None:
    nodes = brokers(tmp_path / "häuser = drei", 3, principals=("decider",))
    for node in nodes:
        told = settings_of(node)
        protocols = dict(
            pair.split(":") for pair in told["listener.security.protocol.map"].split(",")
        )
        assert protocols == {"SASL_SSL": "SASL_SSL", "INTERNAL": "SSL", "CONTROLLER": "SSL"}
        assert told["inter.broker.listener.name"] == "INTERNAL"
        assert told["ssl.keystore.location"] == "../security/broker.pem"
        assert told["super.users"] == "User:CN=broker"
        for listener in ("internal", "controller"):
            assert told[f"listener.name.{listener}.ssl.client.auth"] == "required"


def test_an_open_broker_has_no_authorizer(tmp_path: Path) -> None:
    told = settings_of(brokers(tmp_path, 1)[0])
    assert "authorizer.class.name" not in told
    assert told["listeners"].startswith("PLAINTEXT://127.0.0.1:")

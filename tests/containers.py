"""The services in containers, where a container engine answers."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from docker.errors import DockerException  # type: ignore[import-untyped]  # no stubs of its own
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from devstack import Services
from devstack.kafka.broker import VERSION as KAFKA_VERSION
from devstack.system.ports import take_ports


class ApacheKafkaContainer(DockerContainer):
    """One KRaft node of the project's own image, on a host port chosen before it starts."""

    def __init__(self, image: str = f"apache/kafka:{KAFKA_VERSION}") -> None:
        super().__init__(image)
        self._port = take_ports({"kafka": 0})["kafka"]
        self.with_bind_ports(9092, self._port)
        self.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(120))

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients outside of containers."""
        return f"{self.get_container_host_ip()}:{self._port}"

    def _configure(self) -> None:
        self.with_envs(
            KAFKA_NODE_ID="1",
            KAFKA_PROCESS_ROLES="broker,controller",
            # The broker sends itself the markers that end a transaction, and inside the container
            # nothing listens at the address that clients outside know.
            KAFKA_LISTENERS="OUTSIDE://:9092,CONTROLLER://:9093,INSIDE://:9094",
            KAFKA_ADVERTISED_LISTENERS=f"OUTSIDE://{self.bootstrap},INSIDE://localhost:9094",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=",".join(
                f"{name}:PLAINTEXT" for name in ("OUTSIDE", "CONTROLLER", "INSIDE")
            ),
            KAFKA_INTER_BROKER_LISTENER_NAME="INSIDE",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
            KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
            KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE="LogAppendTime",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
            KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR="1",
            KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
        )


def why_no_engine() -> str | None:
    """Why no container can be run here; None if one can."""
    try:
        DockerClient().client.ping()
    except DockerException as error:
        why = str(error)
    else:
        return None
    with warnings.catch_warnings():
        # The client that could not connect leaves its socket to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return why


@contextmanager
def running() -> Iterator[Services]:
    """A broker and a database in containers of their own."""
    with ExitStack() as started:
        kafka = started.enter_context(ApacheKafkaContainer())
        postgres = started.enter_context(PostgresContainer("postgres:18", driver=None))
        yield Services(bootstrap=kafka.bootstrap, database_url=postgres.get_connection_url())

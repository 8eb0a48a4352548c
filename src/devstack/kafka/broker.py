"""The embedded Kafka brokers: KRaft nodes on loopback ports, their settings and readiness."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from devstack.kafka.security import administrator_options, broker_settings
from devstack.status import Detour

NAME = "kafka"
VERSION = "4.3.1"
SETTINGS = "server.properties"
NEW_ARCHIVE = "tmp/classes.jsa"
PROBE_MILLISECONDS = 2_000

_HEAP, _HEAP_OF_SEVERAL = "-Xmx1g", "-Xmx512m"
_JVM = (
    "-XX:+UseSerialGC",
    # Only the first compiler: in a broker that runs for minutes the second one does not pay.
    "-XX:TieredStopAtLevel=1",
    # No performance file in the machine's temporary folder.
    "-XX:-UsePerfData",
    # No warnings about classes that cannot be archived.
    "-Xlog:cds*=error",
    "-Djava.io.tmpdir=tmp",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)


class Broker(Struct, frozen=True, kw_only=True):
    """One broker, and controller, of a cluster: its folder, loopback ports, Java and jars.

    `controller_ports` are those of all nodes, in order of their ids from 1.
    """

    node_id: int
    folder: Path
    port: int
    controller_ports: tuple[int, ...]
    cluster_id: str
    java: Path
    classpath: tuple[Path, ...]
    detours: tuple[Detour, ...] = ()
    security: Path | None = None
    internal_port: int = 0
    """Of a secured broker: where its files are, and the port for other brokers."""
    archive: Path
    """Java's archive of the loaded classes, which halves the work of a start. The first broker that
    ends normally writes it.
    """

    @property
    def name(self) -> str:
        """The name of its process."""
        return names(self.node_id)[-1]

    @property
    def alone(self) -> bool:
        """Whether the cluster has only this broker."""
        return len(self.controller_ports) == 1

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def internal(self) -> str:
        """`host:port` for other brokers and for the administrator."""
        return f"127.0.0.1:{self.internal_port}" if self.security else self.bootstrap

    def answers(self) -> bool:
        """Whether it answers the protocol and has joined its cluster."""
        options = {} if self.security is None else administrator_options(self.security)
        return answers(self.internal, self.node_id, options)

    @property
    def format_argv(self) -> tuple[str, ...] | None:
        """The command that creates the data folder; None if the folder exists.

        Both commands run in `folder` and use relative names, so its path may have any character.
        """
        if (self.folder / "data" / "meta.properties").exists():
            return None
        quick = "-XX:TieredStopAtLevel=1"
        tool = ("kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", SETTINGS)
        return self._java(quick, *self._shared(), *tool)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs the broker."""
        sharing = self._shared() or (f"-XX:ArchiveClassesAtExit={NEW_ARCHIVE}",)
        return self._java(*sharing, "kafka.Kafka", SETTINGS)

    def configure(self) -> None:
        """Write the settings for this start, and remove what a killed broker left."""
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        lines = (f"{key}={value}\n" for key, value in self._settings().items())
        (self.folder / SETTINGS).write_text("".join(lines), encoding="utf-8")

    def keep_archive(self) -> None:
        """After a normal end: if the broker wrote an archive, move it to the cache."""
        made = self.folder / NEW_ARCHIVE
        if made.exists() and not self.archive.exists():
            self.archive.parent.mkdir(parents=True, exist_ok=True)
            partial = self.archive.with_name(f".{self.archive.name}.{os.getpid()}")
            shutil.copyfile(made, partial)
            partial.replace(self.archive)

    def _shared(self) -> tuple[str, ...]:
        return (f"-XX:SharedArchiveFile={self.archive}",) if self.archive.exists() else ()

    def _java(self, *arguments: str) -> tuple[str, ...]:
        jars = ":".join(str(path) for path in self.classpath)
        heap = _HEAP if self.alone else _HEAP_OF_SEVERAL
        return (str(self.java), heap, *_JVM, "-cp", jars, *arguments)

    def _settings(self) -> dict[str, object]:
        controllers = [f"127.0.0.1:{port}" for port in self.controller_ports]
        voters = [f"{number}@{address}" for number, address in enumerate(controllers, start=1)]
        replicas = min(3, len(controllers))
        in_sync = max(1, replicas - 1)
        return {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            **self._listeners(controllers[self.node_id - 1]),
            "controller.listener.names": "CONTROLLER",
            # Fixed voters are not stored, so that their ports may change from start to start.
            "controller.quorum.voters": ",".join(voters),
            "log.dirs": "data",
            "auto.create.topics.enable": "false",
            "log.message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": in_sync,
            "default.replication.factor": replicas,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            "group.initial.rebalance.delay.ms": 0,
            # After a crash a new broker must wait until the session of the old one has expired.
            "broker.session.timeout.ms": 5_000,
            "broker.heartbeat.interval.ms": 1_000,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }

    def _listeners(self, controller: str) -> dict[str, object]:
        ways = [(f"DETOUR{number}", way) for number, way in enumerate(self.detours)]
        listened = "".join(f",{name}://127.0.0.1:{way.listened}" for name, way in ways)
        told = "".join(f",{name}://127.0.0.1:{way.told}" for name, way in ways)
        if self.security is not None:
            clients = f"SASL_SSL://{self.bootstrap},INTERNAL://{self.internal}"
            secured = "SASL_SSL:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL"
            return {
                "listeners": f"{clients}{listened},CONTROLLER://{controller}",
                "advertised.listeners": f"{clients}{told}",
                "listener.security.protocol.map": secured
                + "".join(f",{name}:SASL_SSL" for name, _ in ways),
                "inter.broker.listener.name": "INTERNAL",
                # Relative, as all its names: the file of settings is read as Latin-1.
                **broker_settings(
                    Path(os.path.relpath(self.security, self.folder)),
                    ("sasl_ssl", *(name.lower() for name, _ in ways)),
                ),
            }
        clients = f"PLAINTEXT://{self.bootstrap}"
        names = ("PLAINTEXT", "CONTROLLER", *(name for name, _ in ways))
        return {
            "listeners": f"{clients}{listened},CONTROLLER://{controller}",
            "advertised.listeners": f"{clients}{told}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "inter.broker.listener.name": "PLAINTEXT",
        }


def archive_path(cache: Path, java: Path, classpath: Sequence[Path]) -> Path:
    """The path of the archive for this Java and these jars; Java also checks that it fits."""
    binary = java.resolve()
    found = binary.stat()
    parts = (binary, found.st_size, found.st_mtime_ns, *classpath)
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
    return cache / "class-archives" / f"kafka-{VERSION}-{key}.jsa"


def names(count: int) -> tuple[str, ...]:
    """The names of the processes, and of the folders, of so many brokers."""
    return (NAME, *(f"{NAME}-{number}" for number in range(2, count + 1)))


def is_name(process: str) -> bool:
    """Whether this is the name of a broker's process."""
    return process == NAME or process.removeprefix(f"{NAME}-").isdigit()


def cluster_id_in(folders: Sequence[Path]) -> str:
    """The cluster id found in any of the folders; a new one if there is none."""
    for folder in folders:
        properties = folder / "data" / "meta.properties"
        if properties.exists():
            lines = properties.read_text(encoding="utf-8").splitlines()
            return next(line for line in lines if line.startswith("cluster.id=")).partition("=")[2]
    return _cluster_id()


def answers(bootstrap: str, node_id: int, options: Mapping[str, Any] | None = None) -> bool:
    """Whether a broker answers there and is in its cluster; `options` are for a secured one."""
    # Imported while the broker starts: nothing else here needs the client.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            bootstrap_timeout_ms=PROBE_MILLISECONDS,
            request_timeout_ms=PROBE_MILLISECONDS,
            **(options or {}),
        )
        try:
            brokers: Sequence[dict[str, object]] = admin.describe_cluster()["brokers"]
            return any(
                broker.get("broker_id") == node_id and not broker.get("is_fenced")
                for broker in brokers
            )
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False


def quiet_client() -> None:
    """Suppress the client's warnings about a broker that does not answer yet."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def _cluster_id() -> str:
    """A UUID in Kafka's format. It begins with a letter: with `-` it would be an option."""
    first, *rest = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes((first & 0x7F, *rest))).decode().rstrip("=")

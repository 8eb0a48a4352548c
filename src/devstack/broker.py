"""The embedded Kafka broker: one KRaft node on the loopback, from its settings to its readiness."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from devstack.status import Detour

NAME = "kafka"
VERSION = "4.3.1"
SETTINGS = "server.properties"
NEW_ARCHIVE = "tmp/classes.jsa"
PROBE_MILLISECONDS = 2_000

_JVM = (
    "-Xmx1g",
    "-XX:+UseSerialGC",
    # The first compiler alone: a broker that lives for minutes never earns back the second.
    "-XX:TieredStopAtLevel=1",
    # No file in the machine's temporary folder.
    "-XX:-UsePerfData",
    # What cannot be archived is no news.
    "-Xlog:cds*=error",
    "-Djava.io.tmpdir=tmp",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)


class Broker(Struct, frozen=True, kw_only=True):
    """One broker: its folder, its two loopback ports and what runs it."""

    folder: Path
    port: int
    controller_port: int
    java: Path
    classpath: tuple[Path, ...]
    detours: tuple[Detour, ...] = ()
    archive: Path
    """Java's archive of the loaded classes, which halves the work of a start. The first broker that
    ends in good order leaves one behind.
    """

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def format_argv(self) -> tuple[str, ...] | None:
        """The command that makes the data folder; None if it is there already.

        Both commands run in `folder`: with relative names its path may hold any character.
        """
        if (self.folder / "data" / "meta.properties").exists():
            return None
        quick = "-XX:TieredStopAtLevel=1"
        tool = ("kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", SETTINGS)
        return self._java(quick, *self._shared(), *tool)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs the broker."""
        sharing = self._shared() or (f"-XX:ArchiveClassesAtExit={NEW_ARCHIVE}",)
        return self._java(*sharing, "kafka.Kafka", SETTINGS)

    def configure(self) -> None:
        """Write the settings for this start and clear away what a killed broker left."""
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        lines = (f"{key}={value}\n" for key, value in self._settings().items())
        (self.folder / SETTINGS).write_text("".join(lines), encoding="utf-8")

    def keep_archive(self) -> None:
        """After an orderly end: put the archive it made, if it made one, where others find it."""
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
        return (str(self.java), *_JVM, "-cp", jars, *arguments)

    def _settings(self) -> dict[str, object]:
        clients, controller = f"PLAINTEXT://{self.bootstrap}", f"127.0.0.1:{self.controller_port}"
        ways = [(f"DETOUR{number}", way) for number, way in enumerate(self.detours)]
        listened = "".join(f",{name}://127.0.0.1:{way.listened}" for name, way in ways)
        told = "".join(f",{name}://127.0.0.1:{way.told}" for name, way in ways)
        names = ("PLAINTEXT", "CONTROLLER", *(name for name, _ in ways))
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "listeners": f"{clients}{listened},CONTROLLER://{controller}",
            "advertised.listeners": f"{clients}{told}",
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            # A fixed voter is not stored, so that the port may change from start to start.
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": "data",
            "auto.create.topics.enable": "false",
            "log.message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": 1,
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            # After a crash a new broker has to wait until the old one's session is over.
            "broker.session.timeout.ms": 5_000,
            "broker.heartbeat.interval.ms": 1_000,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }


def archive_path(cache: Path, java: Path, classpath: Sequence[Path]) -> Path:
    """Where the archive for this Java and these jars belongs; Java checks again that it fits."""
    binary = java.resolve()
    found = binary.stat()
    parts = (binary, found.st_size, found.st_mtime_ns, *classpath)
    key = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
    return cache / "class-archives" / f"kafka-{VERSION}-{key}.jsa"


def answers(bootstrap: str) -> bool:
    """Whether a broker answers the protocol there and has let itself into its cluster."""
    # Imported while the broker boots: nothing else here needs the client.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            bootstrap_timeout_ms=PROBE_MILLISECONDS,
            request_timeout_ms=PROBE_MILLISECONDS,
        )
        try:
            brokers: Sequence[dict[str, object]] = admin.describe_cluster()["brokers"]
            return any(not broker.get("is_fenced") for broker in brokers)
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False


def quiet_client() -> None:
    """A probe of a broker that is not there yet is no news."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def _cluster_id() -> str:
    """Kafka's own form of a UUID. It begins with a letter: a `-` would be taken for an option."""
    first, *rest = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes((first & 0x7F, *rest))).decode().rstrip("=")

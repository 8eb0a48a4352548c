"""The files of a stack: the plan that started it, and the status that its supervisor writes."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from devstack.system.process_identity import Identity

T = TypeVar("T")
PLAN_CHANGED = signal.SIGUSR1
"""Tells a supervisor to run other apps; see `stack.follow_plan`."""


class State(StrEnum):
    """The state of a stack."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    ORPHANED = "orphaned"
    """The supervisor has ended, but some of its processes still run: `down` ends them."""


class ProcessState(StrEnum):
    """The state of one process."""

    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    STOPPED = "stopped"


class ProcessSpec(Struct, frozen=True, kw_only=True):
    """An app process to keep running.

    Its environment is the caller's plus `env`, KAFKA_BOOTSTRAP, DATABASE_URL, REFUNDS_HOME and
    REFUNDS_READY_FILE. It is ready when it has created the file that the last one names, or
    immediately if `announces_ready` is false. With a `port_variable` it gets a port of its own in
    it: this one, or for 0 a free one, which stays the same. In a secured database it is `role`.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    announces_ready: bool = True
    port_variable: str | None = None
    port: int = 0
    role: str | None = None


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """The last known status of a process. `last_exit` is negative for a signal; instants are
    micros.
    """

    name: str
    service: bool
    state: ProcessState
    log: Path
    identity: Identity | None = None
    port: int | None = None
    started_at: int | None = None
    restarts: int = 0
    last_exit: int | None = None


class Status(Struct, frozen=True, kw_only=True):
    """The last known status of a stack. `bootstrap` and `database_url` are set when the ports are
    chosen; `notes` are for people, at the start; `message` is why it failed.
    """

    state: State
    home: Path
    supervisor: Identity | None = None
    started_at: int | None = None
    bootstrap: str | None = None
    database_url: str | None = None
    processes: tuple[ProcessStatus, ...] = ()
    metadata: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    message: str | None = None


class Detour(Struct, frozen=True, kw_only=True):
    """A second listener of the broker: it listens at one loopback port and advertises another one,
    where a proxy forwards the traffic (and can delay, cut or lose it).
    """

    listened: int
    told: int


class Plan(Struct, frozen=True, kw_only=True):
    """What a stack runs. `prepare` are commands that run to their end before the apps, with the
    apps' environment. `metadata` is stored in the status. With an `owner` the stack runs until that
    process ends, otherwise until it is stopped. `database_url` is the caller's own database. Port 0
    means a free port; a second and third broker always get free ports. A stack that is not
    `durable` can lose data in a crash of the machine. A process that ends repeatedly is started
    again after longer and longer pauses, at most `longest_pause_seconds`. Detours need a cluster
    of one broker. With `principals` the brokers are secured: TLS, a user with a password for each,
    and only the rights that a preparation, which runs as the administrator, grants them. With
    `roles` the database is secured in the same way; the first one is the role of people, and of
    processes that name none.
    """

    processes: tuple[ProcessSpec, ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    metadata: dict[str, str] = {}
    database_url: str | None = None
    brokers: int = 1
    kafka_port: int = 0
    database_port: int = 0
    durable: bool = True
    owner: Identity | None = None
    detours: tuple[Detour, ...] = ()
    longest_pause_seconds: float = 10.0
    principals: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Launch(Struct, frozen=True, kw_only=True):
    """The input of a supervisor: the plan, the Java and jars for the broker, and the ports of the
    last start by process, which are used again if they are free.
    """

    plan: Plan
    last_ports: dict[str, int]
    java: Path
    classpath: tuple[Path, ...]
    archive: Path


class Layout(Struct, frozen=True, kw_only=True):
    """The paths of a stack's files."""

    home: Path

    @property
    def status(self) -> Path:
        return self.home / "status.json"

    @property
    def launch(self) -> Path:
        return self.home / "launch.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def ready(self) -> Path:
        return self.home / "ready"

    @property
    def security(self) -> Path:
        """Certificates, keys and passwords of a secured stack."""
        return self.home / "security"

    @property
    def database_password(self) -> Path:
        """The password of the caller's own database."""
        return self.home / "database.pgpass"

    def kafka(self, name: str) -> Path:
        return self.home / name

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Create the folders that do not exist."""
        for folder in (self.home, self.logs, self.ready, self.postgres):
            folder.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, value: Struct) -> None:
    """Replace the file atomically: a reader sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)))
    partial.chmod(0o600)
    partial.replace(path)


def read_status(home: Path) -> Status | None:
    """The status that the supervisor wrote last; None if it is missing or cannot be read."""
    return _read(Layout(home=home).status, Status)


def read_launch(home: Path) -> Launch | None:
    """The input of the last start."""
    return _read(Layout(home=home).launch, Launch)


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, dec_hook=_decode)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"no decoding for {kind}")

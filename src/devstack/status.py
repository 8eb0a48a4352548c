"""What is known of a stack: the plan it was started with and the status its supervisor keeps."""

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
"""Tells a supervisor that other apps are to run; see `stack.follow_plan`."""


class State(StrEnum):
    """Where a stack stands."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    ORPHANED = "orphaned"
    """The supervisor is gone and processes of its are left: `down` ends them."""


class ProcessState(StrEnum):
    """Where one process stands."""

    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    STOPPED = "stopped"


class ProcessSpec(Struct, frozen=True, kw_only=True):
    """An app process to keep running.

    Its environment is the caller's with `env`, KAFKA_BOOTSTRAP, DATABASE_URL, REFUNDS_HOME and
    REFUNDS_READY_FILE added. It counts as ready once it has created the file named by the last,
    or at once if `announces_ready` is false.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    announces_ready: bool = True


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """One process as last seen. `last_exit` is negative for a signal; instants are micros."""

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
    """A stack as last seen. `bootstrap` and `database_url` are set once the ports are chosen;
    `notes` are what a person should hear at the start; `message` is why it failed.
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
    """A second way to the broker: it listens at one loopback port and tells its clients another,
    where somebody passes on what comes (and may delay it, cut it or lose it).
    """

    listened: int
    told: int


class Plan(Struct, frozen=True, kw_only=True):
    """What a stack is to run. `prepare` are commands run to their end before the apps, with the
    apps' environment. `metadata` is kept in the status. Without `owner` it runs until it is told
    to stop; with one, until that process ends. `database_url` names a database of the caller's
    own; ports 0 are free ones, as those of a second and third broker always are; a stack that is
    not `durable` forgets in a crash of the machine. A process that ends again and again is started
    again after ever longer pauses, the longest of which is `longest_pause_seconds`. Detours are for
    a broker that is alone.
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


class Launch(Struct, frozen=True, kw_only=True):
    """What a supervisor is handed: the plan, what was found to run the broker with, and the ports
    of the last start by process, which are taken again where they are still free.
    """

    plan: Plan
    last_ports: dict[str, int]
    java: Path
    classpath: tuple[Path, ...]
    archive: Path


class Layout(Struct, frozen=True, kw_only=True):
    """Where the files of a stack lie."""

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

    def kafka(self, name: str) -> Path:
        return self.home / name

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Make the folders; each may exist."""
        for folder in (self.home, self.logs, self.ready, self.postgres):
            folder.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, value: Struct) -> None:
    """Replace the file whole: a reader sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)))
    partial.chmod(0o600)
    partial.replace(path)


def read_status(home: Path) -> Status | None:
    """What the supervisor wrote last; None if there is nothing or it cannot be read."""
    return _read(Layout(home=home).status, Status)


def read_launch(home: Path) -> Launch | None:
    """What the last start was handed."""
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

"""The arena: one whole stack, two deciders in it, every connection through a proxy of ours.

In a secured stack (SECURE=1) the proxies have the servers' keys, and read what passes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg
from msgspec.structs import replace

from console.running.ledger_locator import running_in
from console.running.settings import read_settings
from console.running.stack_plan import ledger_plan
from consumers.deciding.decider import GROUP as DECIDER
from consumers.reacting.reactor import GROUP as REACTIONS
from consumers.webhooks import keeping
from devstack import Plan, ProcessSpec, State, Status, destroy, status, up
from devstack.kafka import security as kafka
from devstack.postgres import security as database
from devstack.postgres.database import DATABASE
from devstack.postgres.security import url_of
from devstack.status import Detour, Layout, ProcessState
from devstack.system.ports import take_ports
from devstack.system.process_identity import myself
from ledger.log.failpoints import VARIABLE
from ledger.log.kafka import KafkaTools
from ledger.log.kafka.client.settings import with_times
from ledger.log.seam import Topic
from tests.consumers.webhooks.bench import plain
from tests.consumers.webhooks.receivers import Receiver
from tests.services import SECURE
from tests.torture.mounts import Disk, may_mount, mounted
from tests.torture.proxy import Proxy, Tls

PARTITIONS = 4
PATIENCE_SECONDS = 150.0
TIMES = {
    "session_timeout_ms": 6_000.0,
    "request_timeout_ms": 4_000.0,
    "transaction_timeout_ms": 6_000.0,
    "delivery_timeout_ms": 8_000.0,
    "watchdog_seconds": 12.0,
}
"""Short, so that what has to time out does so soon; 6 s is the shortest session a broker grants."""
DECIDERS = ("decider", "decider-2")
PROCESSES = (*DECIDERS, "reactions", "projector", "webhooks")
CLIENT = "client"
DISKS = ("stores", "kafka", "postgres")
_WAYS_TO_KAFKA = (*PROCESSES, CLIENT)
_WAYS_TO_POSTGRES = ("reactions", "projector", "webhooks")
_PENDING = "SELECT count(*) FROM consumers.deadlines WHERE state = 'PENDING' AND due_at <= %s"
_UNTOLD = "SELECT count(*) FROM webhooks.deliveries"
_CHECKPOINTS = "SELECT partition, next_offset FROM consumers.checkpoints WHERE consumer = %s"


class NeverCame(Exception):
    """Something that must come to pass did not; the message says what."""


class Arena:
    """The running stack and the handles to torture it by."""

    def __init__(self, home: Path, proxies: Mapping[str, Proxy], disks: Mapping[str, Disk]) -> None:
        self.home = home
        self.proxies = proxies
        self.disks = disks
        ledger = running_in(self.status())
        self.database_url = ledger.database_url
        self.settings = ledger.kafka
        self.tools = KafkaTools(self.settings)
        through = f"127.0.0.1:{proxies[f'kafka/{CLIENT}'].listened}"
        clients = replace(self.settings, bootstrap=through)
        self.client_tools = KafkaTools(with_times(clients, TIMES))
        self.receiver = Receiver()
        self.hook_id = self._added()

    def status(self) -> Status:
        """As its supervisor sees it."""
        return status(self.home)

    def pid(self, process: str) -> int:
        """Who runs under a name now; waits until somebody does."""
        found: list[int] = []

        def there() -> bool:
            seen = (each for each in self.status().processes if each.name == process)
            found.extend(each.identity.pid for each in seen if each.identity is not None)
            return bool(found)

        wait_until(there, f"{process} to be there")
        return found[0]

    def restarts(self, process: str) -> int:
        """How often it was started again."""
        return sum(each.restarts for each in self.status().processes if each.name == process)

    def send(self, process: str, sign: signal.Signals) -> int:
        """Send a signal to whoever runs under that name; the process id."""
        pid = self.pid(process)
        os.kill(pid, sign)
        return pid

    def failpoints(self, process: str) -> Path:
        """Where the failpoints of a process are armed; the deciders share theirs."""
        return self.home / "failpoints" / ("decider" if process in DECIDERS else process)

    def ready(self) -> bool:
        """Is everything up and working?"""
        seen = self.status()
        return seen.state is State.RUNNING and all(
            each.state is ProcessState.READY for each in seen.processes
        )

    def at_rest(self) -> bool:
        """Is everything decided, followed up, noted and shown, and no deadline overdue?"""
        commands = self.tools.end_offsets(Topic.COMMANDS)
        if not self.decided():
            return False
        events = self.tools.end_offsets(Topic.EVENTS)
        reacted = self.tools.committed_offsets(REACTIONS, Topic.EVENTS)
        if not _reached(reacted, events):
            return False
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            for consumer in ("deadlines", "projector", "webhooks"):
                rows = connection.execute(_CHECKPOINTS, (consumer,)).fetchall()
                found: dict[int, int] = dict(rows)
                if not _reached([found.get(p) for p in range(PARTITIONS)], events):
                    return False
            row = connection.execute(_PENDING, (time.time_ns() // 1_000,)).fetchone()
            untold = connection.execute(_UNTOLD).fetchone()
        return row == untold == (0,) and self.tools.end_offsets(Topic.COMMANDS) == commands

    def decided(self) -> bool:
        """Has every command that is there an outcome?"""
        ends = self.tools.end_offsets(Topic.COMMANDS)
        return _reached(self.tools.committed_offsets(DECIDER, Topic.COMMANDS), ends)

    def _added(self) -> str:
        """A hook that is told of every event to come."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            ends = partial(self.tools.end_offsets, Topic.EVENTS)
            hook_id, _ = keeping.add(connection, self.receiver.url, (), ends, plain)
        return hook_id

    def close(self) -> None:
        """Let go of the connections."""
        self.receiver.close()
        self.client_tools.close()
        self.tools.close()


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until it is so, whatever goes wrong meanwhile; NeverCame if it never is."""
    give_up = time.monotonic() + seconds
    while not true():
        if time.monotonic() > give_up:
            raise NeverCame(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


@contextmanager
def running_arena(home: Path) -> Iterator[Arena]:
    """A stack in a new home, for as long as this process lives; nothing is left of it."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        disks: dict[str, Disk] = {}
        if may_mount(home / "probe"):
            folders = [home / name for name in DISKS]
            disks = dict(zip(DISKS, stack.enter_context(mounted(folders)), strict=True))
        ports, plan = _plan(home)
        proxies = {}
        for name, port in ports.items():
            if name.endswith(" told"):
                link = name.removesuffix(" told")
                tls = _tls(home, link) if SECURE else None
                proxies[link] = Proxy(port, ports[link], tls)
                stack.callback(proxies[link].close)
        stack.callback(destroy, home)
        up(home, plan)
        arena = Arena(home, proxies, disks)
        stack.callback(arena.close)
        yield arena


def _plan(home: Path) -> tuple[dict[str, int], Plan]:
    """The ports of every way, and what `refundctl up` would run with a second decider beside."""
    links = [f"kafka/{name}" for name in _WAYS_TO_KAFKA]
    bases = [f"postgres/{name}" for name in _WAYS_TO_POSTGRES]
    told = [f"{link} told" for link in (*links, *bases)]
    ports = take_ports(dict.fromkeys(("kafka", "postgres", *links, *told), 0))
    ports.update(dict.fromkeys(bases, ports["postgres"]))
    settings = read_settings().model_copy(update={"home": home, "partitions": PARTITIONS})
    plan = ledger_plan(settings, None, sandbox=False, durable=False, owner=myself(), secure=SECURE)
    by_name = {spec.name: spec for spec in plan.processes}
    specs = {**by_name, DECIDERS[1]: replace(by_name["decider"], name=DECIDERS[1])}
    return ports, replace(
        plan,
        kafka_port=ports["kafka"],
        database_port=ports["postgres"],
        detours=tuple(Detour(listened=ports[link], told=ports[f"{link} told"]) for link in links),
        longest_pause_seconds=1.0,
        processes=tuple(_tortured(specs[name], home, ports) for name in PROCESSES),
    )


def _tortured(spec: ProcessSpec, home: Path, ports: Mapping[str, int]) -> ProcessSpec:
    """The process with failpoints, short times, its own state, and its ways through the proxies."""
    points = home / "failpoints" / ("decider" if spec.name in DECIDERS else spec.name)
    points.mkdir(parents=True, exist_ok=True)
    told = {
        "REFUNDS_HOME": str(home / "stores" / spec.name),
        "REFUNDS_MEMBER": spec.name,
        "REFUNDS_KAFKA_TIMES": json.dumps(TIMES),
        VARIABLE: str(points),
    }
    if port := ports.get(f"kafka/{spec.name} told"):
        told["KAFKA_BOOTSTRAP"] = f"127.0.0.1:{port}"
    role = spec.role
    if port := ports.get(f"postgres/{spec.name} told"):
        told["DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{port}/{DATABASE}"
        if role is not None:
            told["DATABASE_URL"] = url_of(Layout(home=home).security, role, port, DATABASE)
            role = None  # the stack would give it the way that leads past the proxy
    return replace(spec, env={**spec.env, **told}, role=role)


def _tls(home: Path, link: str) -> Tls:
    """The key of the server at the end of a link; the stack makes it as it starts."""
    folder = Layout(home=home).security
    to_postgres = link.startswith("postgres/")
    certificate = database.certificate(folder) if to_postgres else kafka.certificate(folder)
    return Tls(
        certificate=certificate,
        authority=kafka.authority_file(folder),
        asked_for=to_postgres,
    )


def _reached(positions: tuple[int | None, ...] | list[int | None], ends: tuple[int, ...]) -> bool:
    return all((at or 0) >= end for at, end in zip(positions, ends, strict=True))

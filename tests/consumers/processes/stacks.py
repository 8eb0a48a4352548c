"""A whole stack for a test: real broker, database and processes, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.running.ledger_locator import running_in
from console.running.settings import read_settings
from console.running.stack_plan import ledger_plan
from consumers.deciding.decider import GROUP as DECIDER
from consumers.reacting.reactor import GROUP as REACTIONS
from devstack import Status, destroy, status, up
from devstack.status import ProcessState
from devstack.system.process_identity import myself
from ledger.log.kafka import KafkaSettings, KafkaTools
from ledger.log.seam import Topic
from tests.services import SECURE

PARTITIONS = 4


class Stack:
    """A running ledger."""

    def __init__(self, home: Path) -> None:
        self.home = home
        seen = self.status()
        assert seen.database_url is not None
        self.database_url: str = seen.database_url
        self.settings: KafkaSettings = running_in(seen).kafka
        self.tools = KafkaTools(self.settings)

    def status(self) -> Status:
        """As its supervisor sees it."""
        return status(self.home)

    def pid(self, process: str) -> int | None:
        """The process that runs under a name now, if one is up."""
        for each in self.status().processes:
            if each.name == process and each.identity is not None:
                return each.identity.pid
        return None

    def restarts(self, process: str) -> int:
        """How often it was started again."""
        return sum(each.restarts for each in self.status().processes if each.name == process)

    def ready(self, process: str) -> bool:
        """Is it up and working?"""
        states = {each.name: each.state for each in self.status().processes}
        return states.get(process) is ProcessState.READY

    def decided(self) -> bool:
        """Is every command decided, also those that the events led to?"""
        ends = self.tools.end_offsets(Topic.COMMANDS)
        if not self._has_read(DECIDER, Topic.COMMANDS, ends):
            return False
        if not self._has_read(REACTIONS, Topic.EVENTS, self.tools.end_offsets(Topic.EVENTS)):
            return False
        return self.tools.end_offsets(Topic.COMMANDS) == ends

    def _has_read(self, group: str, topic: Topic, ends: tuple[int, ...]) -> bool:
        reached = self.tools.committed_offsets(group, topic)
        return all((at or 0) >= end for at, end in zip(reached, ends, strict=True))


@contextmanager
def running_stack(home: Path, brokers: int = 1, *, secure: bool = SECURE) -> Iterator[Stack]:
    """What `refundctl up` starts, for as long as this process lives; deleted at the end."""
    settings = read_settings().model_copy(update={"home": home, "partitions": PARTITIONS})
    try:
        plan = ledger_plan(
            settings,
            None,
            sandbox=False,
            brokers=brokers,
            durable=False,
            owner=myself(),
            secure=secure,
        )
        up(home, plan)
        stack = Stack(home)
        try:
            yield stack
        finally:
            stack.tools.close()
    finally:
        destroy(home)


def refundctl(home: Path, *words: str) -> str:
    """What the command prints; an error if it fails."""
    environment = {**os.environ, "REFUNDS_HOME": str(home), "REFUNDS_PARTITIONS": str(PARTITIONS)}
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "console.main", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

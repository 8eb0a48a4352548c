"""The ledger that is examined: its settings, and connections that are opened when first needed."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, TypeVar

from console.running.ledger_locator import Ledger, connected, find_ledger, is_sandbox
from consumers.clock import Clock, SandboxClock, WallClock
from devstack import Status, status
from ledger.log.kafka import KafkaTools
from ledger.log.kafka.examination import Examination
from ledger.values.instants import Instant

if TYPE_CHECKING:
    from psycopg import Connection

    from console.running.settings import Settings

T = TypeVar("T")


class Missing(Exception):
    """What a check needs is not there; another check says why."""


class Patient:
    """A part that cannot be opened is tried once, and Missing from then on.

    `clock` and `wait_seconds` are those of this machine.
    """

    def __init__(
        self,
        settings: Settings,
        stack: ExitStack,
        clock: Clock | None = None,
        wait_seconds: Callable[[float], object] = time.sleep,
    ) -> None:
        self.settings = settings
        self.clock = clock or WallClock()
        self.wait_seconds = wait_seconds
        self._stack = stack
        self._parts: dict[str, Any] = {}

    @property
    def stack_status(self) -> Status | None:
        """The stack of `up`; None where the broker is somebody else's."""
        if self.settings.kafka_bootstrap is not None:
            return None
        return status(self.settings.home_folder)

    @property
    def ledger(self) -> Ledger:
        """The addresses. The check `configuration` says why there are none."""
        return self._part("a ledger", lambda: find_ledger(self.settings))

    @property
    def on_this_machine(self) -> bool:
        """Whether the brokers are reached by the loopback alone."""
        return all(map(_is_loopback, self.ledger.bootstrap.split(",")))

    @property
    def brokers(self) -> Examination:
        """The brokers, about themselves."""
        return self._part(
            "the brokers",
            lambda: self._stack.enter_context(closing(Examination(self.ledger.kafka))),
        )

    @property
    def tools(self) -> KafkaTools:
        """The ledger's topics."""
        _ = self.brokers
        return self._part(
            "the topics", lambda: self._stack.enter_context(closing(KafkaTools(self.ledger.kafka)))
        )

    @property
    def database(self) -> Connection[Any]:
        """A connection to the database."""
        return self._part(
            "the database",
            lambda: self._stack.enter_context(connected(self.ledger.database_url)),
        )

    @property
    def ledger_now(self) -> Instant:
        """The present instant of the ledger: in a sandbox by its own clock."""
        connection = self.database
        clock = SandboxClock(connection) if is_sandbox(connection) else self.clock
        return clock.now()

    def _part(self, name: str, opened: Callable[[], T]) -> T:
        """The part. Its first use opens it, and raises the reason; later ones raise Missing."""
        if name not in self._parts:
            self._parts[name] = None
            self._parts[name] = opened()
        found: T | None = self._parts[name]
        if found is None:
            raise Missing(name)
        return found


def _is_loopback(address: str) -> bool:
    host = address.strip().rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

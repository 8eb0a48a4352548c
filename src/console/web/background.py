"""How the tasks fare that run beside the requests: their faults are logged, counted, and told."""

from __future__ import annotations

import threading

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

LIVE, PUBLISHING = "live", "publishing"
TASKS = (LIVE, PUBLISHING)
"""Tells the pages when the read models move; publishes what was approved and could not be."""
_log = structlog.get_logger(__name__)


class Background:
    """The tasks of one application. A task goes on after a fault, later and later."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lock = threading.Lock()
        self._faults = dict.fromkeys(TASKS, 0)
        self._counted = Counter(
            "refunds_console_task_faults",
            "Unexpected faults of what runs beside the requests, by task",
            ["task"],
            registry=registry,
        )
        self._failing = Gauge(
            "refunds_console_task_failing",
            "1 where the last try of a task ended by an unexpected fault",
            ["task"],
            registry=registry,
        )
        for task in TASKS:
            self._counted.labels(task)
            self._failing.labels(task)

    @property
    def failing(self) -> tuple[str, ...]:
        """The tasks whose last try ended by a fault."""
        with self._lock:
            return tuple(task for task, faults in self._faults.items() if faults)

    def did(self, task: str) -> None:
        """The task has done its work."""
        self._set(task, 0)

    def failed(self, task: str, error: Exception) -> None:
        """The task came upon a fault that nobody expected."""
        _log.error(
            "a task beside the requests failed; it is tried again", task=task, exc_info=error
        )
        self._counted.labels(task).inc()
        self._set(task, self._faults[task] + 1)

    def pause_seconds(self, task: str, usual_seconds: float, longest_seconds: float) -> float:
        """How long it waits before it tries again: twice as long after each fault."""
        return min(usual_seconds * 2.0 ** min(self._faults[task], 16), longest_seconds)

    def _set(self, task: str, faults: int) -> None:
        with self._lock:
            self._faults[task] = faults
        self._failing.labels(task).set(bool(faults))

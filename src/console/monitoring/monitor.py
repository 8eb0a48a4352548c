"""The monitor of one process: vitals, metrics, the server, and what is looked up for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

import structlog
from prometheus_client import REGISTRY, CollectorRegistry

from console.monitoring.handled import Handled, all_of, clear_texts_counted, in_the_log
from console.monitoring.looks import OpenLooks, go_on_looking
from console.monitoring.metered import MeteredLog, MeteredSource
from console.monitoring.meters import Meters, RefusalsCollector, VitalsCollector
from console.monitoring.server import serve
from console.monitoring.tracing import exporting
from console.monitoring.vitals import Vitals
from console.running.settings import METRICS_OFF
from console.terminal.output import version

if TYPE_CHECKING:
    from collections import Counter

    from console.running.settings import Settings
    from ledger.log.seam import EventSource, Log

_CLOSE_SECONDS = 5.0

log = structlog.get_logger()


class Monitor:
    """Watches the handlers of this process through the interface of the log."""

    def __init__(
        self,
        vitals: Vitals,
        registry: CollectorRegistry,
        *,
        handled: Sequence[Handled] = (),
        looks: bool = True,
        texts_sealed: bool = False,
    ) -> None:
        self.meters = Meters(registry)
        counted = [clear_texts_counted(self.meters)] if texts_sealed else []
        self._handled = all_of([*handled, *counted])
        self._looks = looks
        self.vitals = vitals
        self.stop = Flag()
        self._threads: list[Thread] = []
        self._registry = registry
        registry.register(VitalsCollector(vitals))
        self.meters.build.labels(version()).set(1)

    def log(self, log: Log, name: str) -> MeteredLog:
        """A consumer's log, watched."""
        return MeteredLog(log, name, self.vitals, self.meters, self._handled)

    def source(self, source: EventSource, name: str) -> MeteredSource:
        """A reader of all partitions, watched."""
        return MeteredSource(source, name, self.vitals, self.meters, self._handled)

    def refusals(self, refused: Counter[str]) -> None:
        """Show a decider's own count of refusals by rule."""
        self._registry.register(RefusalsCollector(lambda: list(refused.items())))

    def look(self, open_looks: OpenLooks) -> None:
        """Look up, in a thread, what only brokers and database know."""
        if not self._looks:
            return
        arguments = (self.meters, open_looks, self.stop)
        thread = Thread(target=go_on_looking, args=arguments, name="looks", daemon=True)
        thread.start()
        self._threads.append(thread)

    def close(self) -> None:
        """End the looks."""
        self.stop.set()
        for thread in self._threads:
            thread.join(_CLOSE_SECONDS)


@contextmanager
def monitored(settings: Settings, process: str) -> Iterator[Monitor]:
    """The monitor of this process; its pages are served unless the settings say off."""
    vitals = Vitals(live_seconds=settings.live_seconds)
    handled: list[Handled] = [in_the_log] if settings.log_level == "debug" else []
    served = settings.metrics_port != METRICS_OFF
    with ExitStack() as stack:
        if settings.tracing:
            handled.append(stack.enter_context(exporting(process)))
        monitor = Monitor(
            vitals,
            REGISTRY,
            handled=handled,
            looks=served,
            texts_sealed=settings.sealing == "required",
        )
        stack.callback(monitor.close)
        if settings.metrics_port != METRICS_OFF:
            port = serve(settings.metrics_host, settings.metrics_port, vitals, REGISTRY)
            log.info("metrics are served", host=settings.metrics_host, port=port)
        yield monitor

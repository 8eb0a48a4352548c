"""Every metric of the ledger's processes, in Prometheus's form. Each process has those it fills."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from console.monitoring.vitals import Vitals

_SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_MOST_ORIGINS = 100
"""An origin is what a stranger wrote; labels must not grow with what strangers write."""


class Meters:
    """The instruments of one process. The hot path sets them once per batch, never per command."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.build = Gauge(
            "refunds_build_info",
            "1, with the version of the program",
            ["version"],
            registry=registry,
        )
        self._of_batches(registry)
        self._of_positions(registry)
        self._of_looks(registry)

    def _of_batches(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "refunds_records_handled",
            "Records that were read and committed, by consumer",
            ["consumer"],
            registry=registry,
        )
        self.written = Counter(
            "refunds_records_written",
            "Records that were written with them, by consumer and topic",
            ["consumer", "topic"],
            registry=registry,
        )
        self.batch_records = Histogram(
            "refunds_batch_records",
            "Records in one batch",
            ["consumer"],
            buckets=_SIZES,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "refunds_batch_seconds",
            "Time from reading a batch to its commit",
            ["consumer"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "refunds_commit_seconds",
            "Time of the commit alone, a Kafka transaction",
            ["consumer"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.dead_letters = Counter(
            "refunds_dead_letters", "Records set aside, by reason", ["reason"], registry=registry
        )
        self._signature_failures = Counter(
            "refunds_signature_failures",
            "Commands refused for their signature, by the origin that they name, and reason",
            ["origin", "reason"],
            registry=registry,
        )
        self.clear_texts = Counter(
            "refunds_clear_texts",
            "Commands that came with a free text in clear where texts must be sealed, by command",
            ["command"],
            registry=registry,
        )
        self._origins: set[str] = set()

    def _of_positions(self, registry: CollectorRegistry) -> None:
        self.lag_records = Gauge(
            "refunds_lag_records",
            "Records that a consumer has not read yet, by partition",
            ["consumer", "partition"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "refunds_lag_seconds",
            "How long ago the first record that is not read yet was seen, by partition",
            ["consumer", "partition"],
            registry=registry,
        )

    def _of_looks(self, registry: CollectorRegistry) -> None:
        self.snapshot_written_at = Gauge(
            "refunds_snapshot_written_timestamp_seconds",
            "Time of the last snapshot of a decider's state, by partition",
            ["partition"],
            registry=registry,
        )
        self.snapshot_sequence = Gauge(
            "refunds_snapshot_log_sequence",
            "The last event that this snapshot holds, by partition",
            ["partition"],
            registry=registry,
        )
        self.shown_sequence = Gauge(
            "refunds_shown_log_sequence",
            "The last event that the projector has shown, by partition",
            ["partition"],
            registry=registry,
        )
        self.looked_at = Gauge(
            "refunds_looked_timestamp_seconds",
            "Time at which lag, deadlines and snapshots were last read",
            registry=registry,
        )
        self.looks_failed = Counter(
            "refunds_looks_failed",
            "Times that they could not be read, because broker or database did not answer",
            registry=registry,
        )

    def signature_failed(self, origin: str, reason: str) -> None:
        """Count a command that was refused for its signature; many origins count as `other`."""
        if origin not in self._origins and len(self._origins) >= _MOST_ORIGINS:
            origin = "other"
        self._origins.add(origin)
        self._signature_failures.labels(origin, reason).inc()


class DeadlineMeters:
    """The instruments of the process that keeps the deadlines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pending = Gauge(
            "refunds_deadlines_pending", "Deadlines that are not sent yet", registry=registry
        )
        self.overdue = Gauge(
            "refunds_deadlines_overdue",
            "Of these, those whose instant has passed",
            registry=registry,
        )
        self.overdue_seconds = Gauge(
            "refunds_deadlines_overdue_seconds",
            "How long ago the earliest of them was due; 0 if none is overdue",
            registry=registry,
        )


class VitalsCollector(Collector):
    """Reads the vitals when Prometheus asks, so that the handlers pay nothing for it."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """Live, ready, the owned partitions, and how far each restore is."""
        for name, help_text, why_not in (
            ("live", "1 while the main loop moves", self._vitals.why_not_live),
            ("ready", "1 while every consumer of the process works", self._vitals.why_not_ready),
        ):
            yield GaugeMetricFamily(f"refunds_{name}", help_text, value=float(why_not() is None))
        owned = GaugeMetricFamily(
            "refunds_partitions_owned", "Partitions held in the group", labels=["consumer"]
        )
        position, end = (
            GaugeMetricFamily(f"refunds_restore_{name}", text, labels=["consumer", "partition"])
            for name, text in (
                ("position", "How far the restore of a partition is"),
                ("end", "Where that restore ends"),
            )
        )
        for duty in list(self._vitals.duties.values()):
            if duty.owned is not None:
                owned.add_metric([duty.name], len(duty.owned))
            for partition, (done, total) in duty.restoring.copy().items():
                position.add_metric([duty.name, str(partition)], done)
                end.add_metric([duty.name, str(partition)], total)
        yield from (owned, position, end)


class RefusalsCollector(Collector):
    """Reads a decider's own count of refusals when Prometheus asks."""

    def __init__(self, refused: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        """Violations by rule: a refused command names every rule that it violates."""
        found = CounterMetricFamily(
            "refunds_refusals", "Violated rules of refused commands, by rule", labels=["rule"]
        )
        for rule, count in self._refused():
            found.add_metric([rule], count)
        yield found

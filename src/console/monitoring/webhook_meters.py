"""The metrics of the process that tells the webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from ledger.values.instants import SECOND

if TYPE_CHECKING:
    from psycopg import Connection

    from consumers.clock import Clock
    from consumers.webhooks.table import Recorded

_QUEUES = """
SELECT id, count(account_id) FILTER (WHERE state = 'WAITING'),
    count(account_id) FILTER (WHERE state = 'DEAD'),
    min(waits_since) FILTER (WHERE state = 'WAITING' AND paused_at IS NULL)
FROM webhooks.hooks LEFT JOIN webhooks.queues ON hook_id = id
WHERE ended_at IS NULL GROUP BY id
"""
# Counted by the statistics of the table, so that a look costs the same however many there are.
_STORED = "SELECT pg_stat_get_live_tuples('webhooks.deliveries'::regclass)"


class WebhookMeters:
    """Its instruments. A label is a hook's id; there are a hundred hooks at most."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent, self._failed, self._dead = (
            Counter(f"refunds_webhooks_{name}", text, ["hook"], registry=registry)
            for name, text in (
                ("sent", "Events that a receiver has taken"),
                ("failed", "Tries that failed, and are repeated unless they were the last"),
                ("died", "Accounts of which nothing more is sent, because tries failed for a day"),
            )
        )
        self._waiting, self._dead_accounts, self._late = (
            Gauge(f"refunds_webhooks_{name}", text, ["hook"], registry=registry)
            for name, text in (
                ("waiting_accounts", "Accounts of which something is to be sent"),
                ("dead_accounts", "Accounts of which nothing is sent until it is redriven"),
                ("late_seconds", "How long the next event of an account has waited, at most"),
            )
        )
        self._stored = Gauge(
            "refunds_webhooks_stored_events",
            "Events that are stored until receivers have taken them, about",
            registry=registry,
        )

    def tell(self, hook_id: str, recorded: Recorded) -> None:
        """Count what the end of a run changed."""
        self._sent.labels(hook_id).inc(recorded.sent)
        self._failed.labels(hook_id).inc(recorded.failed)
        self._dead.labels(hook_id).inc(recorded.dead)

    def look(self, connection: Connection[Any], clock: Clock) -> None:
        """One look at what waits; hooks that have ended are shown no more."""
        now = clock.now()
        rows = connection.execute(_QUEUES).fetchall()
        (stored,) = connection.execute(_STORED).fetchone() or (0,)
        self._stored.set(stored)
        for gauge in (self._waiting, self._dead_accounts, self._late):
            gauge.clear()
        for hook_id, waiting, dead, since in rows:
            self._waiting.labels(hook_id).set(waiting)
            self._dead_accounts.labels(hook_id).set(dead)
            self._late.labels(hook_id).set((now - since) / SECOND if since is not None else 0)

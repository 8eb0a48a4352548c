"""What each process looks up: its own consumers' lag, and the deadlines beside the reactions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from console.monitoring.looks import (
    LagLook,
    Look,
    OpenLooks,
    look_at_deadlines,
    look_at_snapshots,
    look_at_what_is_shown,
)
from console.monitoring.meters import DeadlineMeters, Meters
from console.monitoring.webhook_meters import WebhookMeters
from console.running.lag import checkpoint_lag, decider_lag, reactions_lag, webhooks_lag
from console.running.ledger_locator import Ledger, connected
from consumers.clock import SandboxClock, WallClock
from consumers.deadlines.table import CONSUMER as DEADLINES
from ledger.log.kafka import KafkaTools
from projector.following.projection import CONSUMER as PROJECTOR

if TYPE_CHECKING:
    from psycopg import Connection


def decider_looks(ledger: Ledger, meters: Meters) -> OpenLooks:
    """The lag of all deciders together: of a dead one the others tell."""

    def opened(stack: ExitStack) -> Sequence[Look]:
        tools = stack.enter_context(closing(KafkaTools(ledger.kafka)))
        return [LagLook(meters, lambda: [decider_lag(tools)])]

    return opened


def snapshot_looks(ledger: Ledger, meters: Meters) -> OpenLooks:
    """The snapshots, apart from the lag: the lag is shown while the database does not answer."""

    def opened(stack: ExitStack) -> Sequence[Look]:
        connection = stack.enter_context(connected(ledger.database_url))
        return [lambda: look_at_snapshots(meters, connection)]

    return opened


def reactions_looks(ledger: Ledger, meters: Meters, *, sandbox: bool) -> OpenLooks:
    """The lag of the reactions and of the deadlines, and the deadlines themselves."""
    deadlines = DeadlineMeters(meters.registry)

    def opened(stack: ExitStack) -> Sequence[Look]:
        tools = stack.enter_context(closing(KafkaTools(ledger.kafka)))
        connection: Connection[Any] = stack.enter_context(connected(ledger.database_url))
        clock = SandboxClock(connection) if sandbox else WallClock()
        return [
            LagLook(
                meters,
                lambda: [reactions_lag(tools), checkpoint_lag(tools, connection, DEADLINES)],
            ),
            lambda: look_at_deadlines(deadlines, connection, clock),
        ]

    return opened


def projector_looks(ledger: Ledger, meters: Meters) -> OpenLooks:
    """The lag of the projector, and the last events that it has shown."""

    def opened(stack: ExitStack) -> Sequence[Look]:
        tools = stack.enter_context(closing(KafkaTools(ledger.kafka)))
        connection = stack.enter_context(connected(ledger.database_url))
        return [
            LagLook(meters, lambda: [checkpoint_lag(tools, connection, PROJECTOR)]),
            lambda: look_at_what_is_shown(meters, connection),
        ]

    return opened


def webhook_looks(ledger: Ledger, meters: Meters, webhooks: WebhookMeters) -> OpenLooks:
    """The lag of the webhooks, and what waits to be sent."""

    def opened(stack: ExitStack) -> Sequence[Look]:
        tools = stack.enter_context(closing(KafkaTools(ledger.kafka)))
        connection = stack.enter_context(connected(ledger.database_url))
        return [
            LagLook(meters, lambda: [webhooks_lag(tools, connection)]),
            lambda: webhooks.look(connection, WallClock()),
        ]

    return opened

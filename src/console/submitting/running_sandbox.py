"""The running sandbox, for commands that move its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec import Struct

from console.running.ledger_locator import connected, find_ledger, is_sandbox
from console.running.settings import read_settings
from console.submitting.live_listener import Listener
from console.submitting.outcomes import passed_told
from console.terminal.errors import BadInput
from consumers.sandbox.sandbox_world import SandboxWorld
from consumers.sandbox.simulated_time import step_to
from ledger.values.instants import Instant, format_instant


class Sandbox(Struct, frozen=True, kw_only=True):
    """A sandbox that is stepped and listened to."""

    world: SandboxWorld
    listener: Listener


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """The running sandbox. Raises BadInput where the ledger is none."""
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    ledger = find_ledger(read_settings())
    with connected(ledger.database_url) as connection:
        if not is_sandbox(connection):
            raise BadInput(
                "this ledger goes by the world's time and has no clock to set; start a sandbox "
                "with 'refundctl up --sandbox' in a new REFUNDS_HOME"
            )
        listener = Listener(ledger.kafka)
        try:
            yield Sandbox(world=SandboxWorld(connection, listener.tools), listener=listener)
        finally:
            listener.close()


def let_pass(found: Sandbox, target: Instant) -> None:
    """Let time go to the instant and tell what happened on the way."""
    step_to(found.world, target, inclusive=True)
    events = found.listener.take_events()
    if events:
        typer.echo(passed_told(events))
    typer.echo(f"the sandbox stands at {format_instant(found.world.now())}")

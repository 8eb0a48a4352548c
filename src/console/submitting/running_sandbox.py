"""The running sandbox, for commands that set its clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec import Struct

from console.running.ledger_locator import connected, find_ledger, is_sandbox
from console.running.origins.own_signature import signing_of
from console.running.settings import read_settings
from console.submitting.live_listener import Listener
from console.submitting.outcomes import passed_told
from console.terminal.errors import BadInput
from consumers.sandbox.sandbox_world import SandboxWorld
from consumers.sandbox.simulated_time import step_to
from ledger.values.instants import Instant, format_instant


class Sandbox(Struct, frozen=True, kw_only=True):
    """A sandbox that is stepped, with a reader of its events."""

    world: SandboxWorld
    listener: Listener


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """The running sandbox. Raises BadInput if the ledger is not a sandbox."""
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    ledger = find_ledger(read_settings())
    with connected(ledger.database_url) as connection:
        if not is_sandbox(connection):
            raise BadInput(
                "this ledger runs in real time and has no clock to set; start a sandbox "
                "with 'refundctl up --sandbox' in a new REFUNDS_HOME"
            )
        listener = Listener(ledger.kafka, signing_of(ledger))
        try:
            world = SandboxWorld(connection, listener.tools, signing=listener.signing)
            yield Sandbox(world=world, listener=listener)
        finally:
            listener.close()


def let_pass(found: Sandbox, target: Instant) -> None:
    """Advance the clock to the instant and print what happens in between."""
    step_to(found.world, target, inclusive=True)
    events = found.listener.take_events()
    if events:
        typer.echo(passed_told(events))
    typer.echo(f"the sandbox stands at {format_instant(found.world.now())}")

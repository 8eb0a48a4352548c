"""`refundctl demo`: a guided example on a real broker and a real database."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from psycopg import Connection

    from console.demo.narrator import Narrator
    from console.demo.scene import Scene
    from console.running.ledger_locator import Ledger
    from console.submitting.live_listener import Listener
    from devstack import Status

SHOWN_SECONDS = 30.0
VISITOR = "demo"


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the stack running, in REFUNDS_HOME.")
    ] = False,
) -> None:
    """Show a guided example on real services.

    It starts everything it needs, explains each step, shows the read models, and stops everything
    again.
    """
    from console.demo.narrator import Narrator
    from console.demo.scenes import OF_A_KEPT_STACK, SCENES
    from console.demo.stage import staged
    from console.running.ledger_locator import running_in, use_schema_registry
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    narrator, began = Narrator(), time.monotonic()
    narrator.say(
        "A refund ledger for cloud billing. Commands arrive through Apache Kafka. One writer "
        "decides each command and records the result as events, which are never changed. "
        "PostgreSQL shows the current balances. This example runs in a sandbox, whose clock is "
        "set by hand."
    )
    narrator.note("starting a broker, a database and five processes …")
    settings = read_settings()
    use_schema_registry(settings)
    with staged(settings, keep=keep) as seen:
        _introduce(narrator, seen, time.monotonic() - began)
        _tell(narrator, running_in(seen), OF_A_KEPT_STACK if keep else SCENES)
    _farewell(narrator, seen, keep=keep, seconds=time.monotonic() - began)


def _introduce(narrator: Narrator, seen: Status, seconds: float) -> None:
    running = ", ".join(process.name for process in seen.processes)
    narrator.note(f"up after {seconds:.1f} s: {running}")


def _tell(narrator: Narrator, ledger: Ledger, scenes: tuple[Scene, ...]) -> None:
    from console.demo import closing
    from console.running.ledger_locator import connected
    from console.running.origins.own_signature import signing_of
    from console.submitting.live_listener import Listener, shown

    began = time.monotonic()
    with connected(ledger.database_url) as connection:
        listener = Listener(ledger.kafka, signing_of(ledger))
        try:
            for number, scene in enumerate(scenes, start=1):
                narrator.heading(f"{number}. {scene.title}")
                _play(narrator, connection, listener, scene)
            told = time.monotonic() - began
            shown(connection, listener.positions, SHOWN_SECONDS)
            closing.read_models(narrator, connection)
            closing.zero_sum(narrator, connection)
            ran = closing.figures(closing.audited(narrator, ledger), listener.tools)
        finally:
            listener.close()
    given = sum(bool(beat.id) for scene in scenes for beat in scene.beats)
    narrator.heading("What ran")
    narrator.say(
        f"{ran.commands} commands, {given} of them given above and the others by reactions and "
        f"deadlines, led to {ran.events} events in {ran.transactions} transactions, told in "
        f"{told:.1f} seconds."
    )


def _play(
    narrator: Narrator, connection: Connection[Any], listener: Listener, scene: Scene
) -> None:
    """For each beat: explain it, give the command, show the outcome and the read models."""
    from console.commands.submit import known_currencies
    from console.demo.scene import lines_of
    from console.rendering.reports.answers import answer_table
    from console.submitting.live_listener import shown
    from console.submitting.scenario_runner import AnswerBook, run_scenario
    from consumers.sandbox.sandbox_world import SandboxWorld
    from ledger.wire.json.command_lines import CommandLine
    from projector.asking.queries import ask
    from projector.questions import QUESTIONS

    world, book = SandboxWorld(connection, listener.tools, signing=listener.signing), AnswerBook()
    lines = lines_of(scene, known_currencies(connection, listener, [scene.account]))
    for beat, line in zip(scene.beats, lines, strict=True):
        assert line.at is not None
        narrator.beat(beat, line.at, line if isinstance(line, CommandLine) else None)
        for step in run_scenario(world, listener.take_events, [line], book):
            narrator.events(step.events, passed=step.line is None)
        for look in beat.show:
            shown(connection, listener.positions, SHOWN_SECONDS)
            answer = ask(connection, QUESTIONS[look.question], scene.account)
            narrator.show(answer_table(answer, *look.columns))


def _farewell(narrator: Narrator, seen: Status, *, keep: bool, seconds: float) -> None:
    from console.rendering.reports.stack import pages_of

    if not keep:
        narrator.say(f"Everything is stopped again, after {seconds:.1f} seconds in all.")
        return
    narrator.say(f"After {seconds:.1f} seconds in all; the stack stays up. Look around:")
    narrator.note(f"export REFUNDS_HOME={seen.home}")
    if shutil.which("refundctl") is None:
        narrator.note(f'export PATH="{Path(sys.executable).parent}:$PATH"')
    for command in ("status", "query", "query refunds", "clock advance 7d", "down"):
        narrator.note(f"refundctl {command}")
    if (pages := pages_of(seen)) is not None:
        narrator.say("Or in a browser:")
        narrator.note(f"{pages}/ as {VISITOR}, with the password {_visitor_of(seen)}")


def _visitor_of(seen: Status) -> str:
    """A person of support and finance; returns the password."""
    import secrets

    from console.running.ledger_locator import connected
    from console.web.access import people

    assert seen.database_url is not None
    password = secrets.token_urlsafe(12)
    with connected(seen.database_url) as connection:
        people.add(connection, VISITOR, password, ["finance", "support"])
    return password

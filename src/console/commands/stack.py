"""`refundctl up`, `down`, `status` and `logs`: the embedded stack in the home folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from console.running.ledger_locator import (
    DEFAULT_PARTITIONS,
    PARTITIONS,
    SANDBOX,
    SECURED,
    refuse_unused_security,
)
from console.running.process_counts import known_brokers
from console.running.stack_plan import ledger_plan
from console.terminal.errors import BadInput, Failed

if TYPE_CHECKING:
    from console.running.settings import Settings
    from devstack import Status

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="A ledger whose clock is set by hand.")
    ] = False,
    brokers: Annotated[
        int | None,
        typer.Option("--brokers", help="1, or 3: a cluster that works with any 2 of them."),
    ] = None,
    deciders: Annotated[
        int | None,
        typer.Option("--deciders", min=1, help="How many deciders share the partitions."),
    ] = None,
    reactors: Annotated[
        int | None,
        typer.Option("--reactors", min=1, help="How many processes share the reactions."),
    ] = None,
    secure: Annotated[
        bool,
        typer.Option("--secure", help="Brokers with TLS, passwords and access rights; stays so."),
    ] = False,
    pages: Annotated[
        bool, typer.Option("--pages/--no-pages", help="Serve the pages and the HTTP API too.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Start broker, database and the ledger's processes.

    All data is in REFUNDS_HOME (default .refunds). Processes that already run are not changed;
    'scale' changes their number. The first start creates the ledger and decides whether it is a
    sandbox, and how many brokers it has.

    Examples:

      refundctl up

      REFUNDS_HOME=/tmp/play refundctl up --sandbox

      refundctl up --brokers 3 --deciders 2

      refundctl up --secure
    """
    from console.rendering.reports.stack import print_status, status_to_json
    from console.running.origins.changes import start_required
    from console.running.origins.origin_folder import OriginFolder
    from console.running.settings import read_settings
    from console.terminal.output import console, json_line
    from devstack import State, status
    from devstack import up as start_stack

    settings = read_settings()
    if settings.kafka_bootstrap is not None:
        raise BadInput(
            "KAFKA_BOOTSTRAP is set, but 'up' starts its own broker; unset it, or run "
            "'refundctl init' and 'refundctl run' against the one you have"
        )
    refuse_unused_security("'up' starts a broker of its own")
    home = settings.home_folder
    seen = status(home)
    _refuse_another_kind(seen, settings, sandbox=sandbox or settings.sandbox)
    ran = seen.state in (State.RUNNING, State.DEGRADED)
    out = console(stderr=True)
    if out.is_terminal and not ran:
        out.print("starting broker, database and processes …", style="dim")
    if secure and SECURED not in seen.metadata:
        list(start_required(OriginFolder(settings.origins_folder)))
    plan = ledger_plan(
        settings,
        seen,
        sandbox=sandbox or settings.sandbox,
        brokers=known_brokers(seen, brokers),
        counts={"decider": deciders, "reactions": reactors},
        secure=secure,
        pages=pages,
    )
    seen = start_stack(home, plan, out)
    if as_json:
        typer.echo(json_line(status_to_json(seen)))
    else:
        typer.echo(f"{'already running' if ran else 'up'} in {home}")
        print_status(seen, positions=False)


def down(as_json: AsJson = False) -> None:
    """Stop everything that 'up' started; the data stays.

    It is no error if nothing runs.
    """
    from console.rendering.reports.stack import status_to_json
    from console.running.settings import read_settings
    from console.terminal.output import json_line
    from devstack import State, status
    from devstack import down as stop_stack

    home = read_settings().home_folder
    before = status(home)
    seen = stop_stack(home)
    if as_json:
        typer.echo(json_line(status_to_json(seen, ask=False)))
    elif before.state is State.ABSENT:
        typer.echo(f"nothing runs in {home}")
    else:
        typer.echo(f"stopped; the data stays in {home}")


def status(as_json: AsJson = False) -> None:
    """Show the status of the stack.

    It shows processes, ports, how far each consumer has read, and a sandbox's clock. The exit code
    is 0 only if everything runs.
    """
    from console.rendering.reports.stack import print_status, status_to_json
    from console.running.settings import read_settings
    from console.terminal.output import json_line
    from devstack import State
    from devstack import status as stack_status

    seen = stack_status(read_settings().home_folder)
    if as_json:
        typer.echo(json_line(status_to_json(seen)))
    else:
        print_status(seen)
    if seen.state is not State.RUNNING:
        raise typer.Exit(1)


def logs(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROCESS]...", help="Only these processes (default: all)."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Continue with new lines.")
    ] = False,
    count: Annotated[
        int, typer.Option("-n", "--lines", min=0, help="Number of lines per log.")
    ] = 20,
) -> None:
    """Show the last log lines of the processes.

    Examples:

      refundctl logs decider -n 50

      refundctl logs -f
    """
    from console.running.settings import read_settings
    from devstack import State, status, tail
    from devstack import follow as follow_logs

    home = read_settings().home_folder
    if status(home).state is State.ABSENT:
        raise Failed(f"there are no logs in {home}; start the ledger with 'refundctl up'")
    chosen = tuple(names or ())
    for name, line in tail(home, chosen, count):
        typer.echo(f"{name:<10} {line}")
    if follow:
        for name, line in follow_logs(home, chosen):
            typer.echo(f"{name:<10} {line}")


def _refuse_another_kind(seen: Status, settings: Settings, *, sandbox: bool) -> None:
    """A ledger stays what it was opened as; a failed start opens none."""
    from console.commands.processes import kind_differs
    from devstack import State

    if seen.state in (State.ABSENT, State.FAILED) or SANDBOX not in seen.metadata:
        return
    was = seen.metadata[SANDBOX] == "yes"
    if was != sandbox:
        raise BadInput(kind_differs(str(seen.home), was_sandbox=was))
    partitions = int(seen.metadata.get(PARTITIONS, DEFAULT_PARTITIONS))
    if settings.partitions not in (None, partitions):
        raise BadInput(
            f"the ledger in {seen.home} has {partitions} partitions, and their count never "
            f"changes; unset REFUNDS_PARTITIONS ({settings.partitions}), or set REFUNDS_HOME to a "
            "new folder"
        )

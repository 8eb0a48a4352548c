"""`refundctl audit`: checks the running ledger and shows the first error of each check."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import to_builtins

from console.terminal.errors import BadInput
from console.terminal.help import HeadedCommands

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.rendering.reports.audit import Verified
    from console.running.ledger_locator import Ledger
    from consumers.deciding.checking import Finding
    from ledger.audit import AuditReport
    from ledger.log.seam import LogTools
    from projector.reconciling.reconcile import Reconciliation

CLAIM_OF_READ_MODELS = (
    "Every read model has exactly the rows that follow from the log up to the offset it has read."
)
_BAR_FROM_RECORDS = 5_000
_BAR_STEP = 500

app = typer.Typer(
    cls=HeadedCommands, no_args_is_help=True, help="Check the ledger from its first record."
)


@app.command()
def verify(
    check: Annotated[
        str | None, typer.Option("--check", metavar="NAME", help="Run only this check.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print what was checked.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Always print one JSON object.")] = False,
) -> None:
    """Run every check on the log, then compare every read model.

    The log is replayed from its first record. If every check passes, nothing is printed. Otherwise
    the first divergence of each check is shown, and the exit code is 1. Nothing is written, and the
    ledger may be in use.

    Examples:

      refundctl audit verify

      refundctl audit verify --check hash_chain -v

      refundctl audit verify --json | jq .divergences
    """
    from console.rendering.reports.audit import print_verified, verified_to_json
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console, json_line

    _known(check)
    found = verified(find_ledger(read_settings()), check)
    if as_json:
        typer.echo(json_line(verified_to_json(found)))
    elif verbose or not found.holds:
        print_verified(found, console(), verbose=verbose)
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def checks(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per check.")
    ] = False,
) -> None:
    """List the checks and what each one verifies."""
    from console.terminal.output import json_line

    for name, claim in claims().items():
        line = json_line({"check": name, "claim": claim}) if as_json else f"{name:<24} {claim}"
        typer.echo(line)


@app.command()
def snapshots(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per partition.")
    ] = False,
) -> None:
    """Compare the deciders' snapshots with the log.

    The events are folded from the first one up to the place of each snapshot, and every entity is
    compared. If one differs the exit code is 1: delete the snapshots, the deciders make them anew.

    Examples:

      refundctl audit snapshots
    """
    from console.rendering.reports.snapshots import finding_line
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import json_line

    found = compared_snapshots(find_ledger(read_settings()))
    for each in found:
        typer.echo(json_line(to_builtins(each)) if as_json else finding_line(each))
    if not as_json and not found:
        typer.echo("there are no snapshots")
    if any(each.wrong for each in found):
        raise typer.Exit(1)


def compared_snapshots(ledger: Ledger) -> list[Finding]:
    """What the events of a running ledger say of its snapshots."""
    from contextlib import closing
    from tempfile import TemporaryDirectory

    from consumers.deciding.checking import check_snapshots
    from consumers.deciding.snapshots.postgres import PostgresSnapshots
    from ledger.log.kafka import KafkaTools, TopicTail
    from ledger.log.seam import Topic

    with (
        closing(KafkaTools(ledger.kafka)) as tools,
        closing(TopicTail(ledger.kafka, Topic.EVENTS)) as tail,
        closing(PostgresSnapshots.for_writing(ledger.database_url)) as kept,
        kept.looked_at() as stored,
        TemporaryDirectory(prefix="refunds-snapshots-") as scratch,
    ):
        return check_snapshots(tools.replay(Topic.EVENTS), stored, tail.topic_id, Path(scratch))


def claims() -> dict[str, str]:
    """What each check verifies, by its name, in the order in which they run."""
    from console.rendering.reports.audit import READ_MODELS
    from ledger.audit import CHECKS

    return {**{each.name: each.claim for each in CHECKS}, READ_MODELS: CLAIM_OF_READ_MODELS}


def verified(ledger: Ledger, check: str | None = None) -> Verified:
    """Audit a running ledger: its log, and its read models against the log."""
    began = time.monotonic()
    from console.rendering.reports.audit import READ_MODELS, Verified
    from console.running.origins.own_signature import kept_origins
    from console.running.terms_files import terms_in_force
    from consumers.deciding.decider import GROUP
    from ledger.audit import CHECKS, audit
    from ledger.log.kafka import KafkaTools

    log: AuditReport | None = None
    if check != READ_MODELS:
        chosen = [each for each in CHECKS if check in (None, each.name)]
        tools = KafkaTools(ledger.kafka)
        try:
            with _progress(tools) as tell:
                log = audit(
                    tools, GROUP, chosen, tell, terms_in_force(ledger), kept_origins(ledger)
                )
        finally:
            tools.close()
    read_models = _reconciled(ledger) if check in (None, READ_MODELS) else None
    return Verified(log=log, read_models=read_models, seconds=time.monotonic() - began)


def _reconciled(ledger: Ledger) -> Reconciliation | str:
    """The comparison, or why it is not possible: the other results must be reported anyway."""
    from ledger.log.kafka import TopicTail
    from ledger.log.seam import Topic, WrongWorld
    from ledger.wire.avro.codec import UnreadableRecord
    from projector.reconciling.reconcile import reconcile

    source = TopicTail(ledger.kafka, Topic.EVENTS)
    try:
        return reconcile(ledger.database_url, source)
    except (UnreadableRecord, WrongWorld) as error:
        return str(error)
    finally:
        source.close()


def _known(check: str | None) -> None:
    names = list(claims())
    if check is None or check in names:
        return
    near = difflib.get_close_matches(check, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise BadInput(f"there is no check {check!r}{meant} There are: {', '.join(names)}")


@contextmanager
def _progress(tools: LogTools) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal's stderr if the log is long."""
    from console.terminal.output import console
    from ledger.log.seam import Topic

    out = console(stderr=True)
    total = sum(sum(tools.end_offsets(topic)) for topic in Topic) if out.is_terminal else 0
    if total < _BAR_FROM_RECORDS:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=out, transient=True) as bar:
        task: Any = bar.add_task("records", total=total)

        def tell(done: int) -> None:
            if done % _BAR_STEP == 0:
                bar.update(task, completed=done)

        yield tell

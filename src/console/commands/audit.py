"""`refundctl audit`: checks the running ledger and shows the first error of each check."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from console.terminal.errors import BadInput, Failed, or_near
from console.terminal.help import HeadedCommands

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.rendering.reports.audit import Verified
    from console.running.ledger_locator import Ledger
    from consumers.deciding.checking import Finding
    from ledger.audit import AuditReport, Place
    from ledger.log.kafka import KafkaSettings
    from ledger.log.seam import LogTools
    from projector.reconciling.reconcile import Reconciliation

CLAIM_OF_READ_MODELS = (
    "Every read model has exactly the rows that follow from the log up to the offset it has read."
)
_BAR_FROM_STEPS = 10_000
_SIDE_BY_SIDE_FROM_RECORDS = 20_000

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
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", metavar="N", min=0, help="Processes that read the log; 0: one for each core."
        ),
    ] = 0,
    begin_at: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Begin where an earlier audit ended."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="If all is well, write there where it ended."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Always print one JSON object.")] = False,
) -> None:
    """Run every check on the log, then compare every read model.

    The log is replayed from its first record. If every check passes, nothing is printed. Otherwise
    the first divergence of each check is shown, and the exit code is 1. Nothing is written, and the
    ledger may be in use.

    With --from, the records before that place are only compared with the digest in the file, except
    those of accounts that have something new. What was not looked at again is always printed.

    Examples:

      refundctl audit verify

      refundctl audit verify --check hash_chain -v

      refundctl audit verify --from monday.json --save tuesday.json

      refundctl audit verify --json | jq .divergences
    """
    from console.commands.export import writable
    from console.rendering.reports.audit import print_verified, verified_to_json
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console, json_line

    _known(check)
    if save is not None and check is not None:
        raise BadInput("--save needs every check; leave out --check")
    if save is not None:
        writable(save, force=True)
    place = None if begin_at is None else read_place(begin_at)
    ledger = find_ledger(read_settings())
    found = verified(ledger, check, jobs, place, sealed=save is not None)
    if as_json:
        typer.echo(json_line(verified_to_json(found)))
    elif verbose or not found.holds or place is not None:
        print_verified(found, console(), verbose=verbose)
    if save is not None and found.log is not None:
        save_place(save, found.log)
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


def verified(
    ledger: Ledger,
    check: str | None = None,
    jobs: int = 0,
    place: Place | None = None,
    *,
    sealed: bool = False,
) -> Verified:
    """Audit a running ledger, from a place on: its log, and its read models against the log."""
    began = time.monotonic()
    from console.rendering.reports.audit import READ_MODELS, Verified

    log: AuditReport | None = None
    if check != READ_MODELS:
        log = _audited(ledger, check, jobs, place, sealed=sealed)
    read_models = _reconciled(ledger) if check in (None, READ_MODELS) else None
    seconds = time.monotonic() - began
    return Verified(log=log, read_models=read_models, seconds=seconds, begun_at=place)


def read_place(file: Path) -> Place:
    """The place in a file that an audit has written."""
    from ledger.audit import place_of

    try:
        return place_of(file.read_bytes())
    except OSError as error:
        raise BadInput(
            f"--from {file}: {error.strerror}; name the file that an audit wrote with --save, or "
            "audit the whole log without --from"
        ) from error


def save_place(file: Path, log: AuditReport) -> None:
    """Write where a clean audit has ended. Raises Failed if it was not, or nothing is decided."""
    from console.terminal.output import version, write_whole
    from consumers.clock import WallClock
    from ledger.audit import Place, place_to_bytes
    from ledger.values.instants import format_instant

    if log.divergences:
        raise Failed(f"{file} is not written: the log has divergences")
    if not log.ends:
        raise Failed(f"{file} is not written: nothing is decided yet")
    place = Place(audited_at=format_instant(WallClock().now()), release=version(), ends=log.ends)
    try:
        write_whole(file, place_to_bytes(place))
    except OSError as error:
        raise Failed(
            f"{file} cannot be written: {error.strerror}; correct --save and audit again"
        ) from error


def _audited(
    ledger: Ledger, check: str | None, jobs: int, place: Place | None, *, sealed: bool
) -> AuditReport:
    """A short log is read by this process: to start others would take longer."""
    from console.running.origins.own_signature import kept_origins
    from console.running.terms_files import terms_in_force
    from consumers.deciding.decider import GROUP
    from ledger.audit import (
        CHECKS,
        audit_partition,
        audit_side_by_side,
        audited_partitions,
        report_of,
    )
    from ledger.log.kafka import KafkaTools
    from ledger.log.seam import Topic

    chosen = [each for each in CHECKS if check in (None, each.name)]
    tools = KafkaTools(ledger.kafka)
    try:
        records = sum(sum(tools.end_offsets(topic)) for topic in Topic)
        terms, origins = terms_in_force(ledger), kept_origins(ledger)
        begins = None if place is None else place.ends
        partitions = audited_partitions(tools, GROUP, terms, origins, begins, sealed=sealed)
        many = jobs or (_cores() if records >= _SIDE_BY_SIDE_FROM_RECORDS else 1)
        with _progress(2 * records) as tell:
            if many == 1:
                parts = [audit_partition(tools, each, chosen, tell) for each in partitions]
            else:
                open_tools = partial(_open_log, ledger.kafka)
                parts = audit_side_by_side(open_tools, partitions, chosen, tell, many)
    finally:
        tools.close()
    return report_of(chosen, parts)


def _open_log(kafka: KafkaSettings) -> LogTools:
    """The log, for a process that has the environment of this one and nothing else."""
    from console.running.ledger_locator import use_schema_registry
    from console.running.settings import read_settings
    from ledger.log.kafka import KafkaTools

    use_schema_registry(read_settings())
    return KafkaTools(kafka)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    then = or_near(check, names, f"there are: {', '.join(names)}")
    raise BadInput(f"there is no check {check!r}{then}")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal's stderr if the log is long."""
    from console.terminal.output import console

    out = console(stderr=True)
    if total < _BAR_FROM_STEPS or not out.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("auditing", total=total)
        yield lambda steps: bar.advance(task, steps)

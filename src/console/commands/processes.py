"""The hidden commands behind `up`: `init` creates a ledger, `run` runs one of its processes."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from console.running.ledger_locator import connected, find_ledger, use_schema_registry
from console.terminal.errors import Failed, explain

if TYPE_CHECKING:
    from console.monitoring.monitor import Monitor
    from console.running.ledger_locator import Ledger
    from console.running.settings import Settings
    from ledger.log.seam import Topic
    from ledger.vocabulary.events import LedgerOpened


run = typer.Typer(no_args_is_help=True, help="Run one process of the ledger until it is stopped.")


def init(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="A ledger whose clock is set by hand.")
    ] = False,
    grant: Annotated[
        bool, typer.Option("--grant", help="Write the access matrix to brokers and database.")
    ] = False,
    finance_rows: Annotated[
        Literal["all", "groups"] | None,
        typer.Option(
            "--finance-rows",
            help="With --grant: finance sees all rows, or those of its groups of accounts.",
        ),
    ] = None,
    brokers_only: Annotated[
        bool, typer.Option("--brokers-only", help="With --grant: no rights in the database.")
    ] = False,
) -> None:
    """Create the topics and tables of a ledger, or check those that exist."""
    from consumers.clock import SandboxClock
    from ledger.log.access import read_matrix
    from ledger.log.kafka import create_topics
    from ledger.log.kafka.access import grant as grant_access
    from projector.migrations import migrate
    from projector.rights.granting import grant as grant_rights

    settings = _started()
    sandbox = sandbox or settings.sandbox
    ledger = find_ledger(settings)
    use_schema_registry(settings, register=True)
    create_topics(ledger.kafka, settings.replication)
    if grant:
        grant_access(ledger.kafka, read_matrix())
    _same_kind(ledger, sandbox)
    migrate(ledger.database_url)
    with connected(ledger.database_url) as connection:
        if grant and not brokers_only:
            grant_rights(connection, read_matrix(), finance_rows)
        if sandbox:
            SandboxClock(connection).set(0)


@run.command()
def decider() -> None:
    """Decide commands, as the only writer of each owned partition."""
    _until_told_to_stop("decider", _decide)


@run.command()
def reactions() -> None:
    """Send follow-up commands, and the commands of deadlines that are due."""
    _until_told_to_stop("reactions", _react)


@run.command()
def projector() -> None:
    """Update the read models from the events."""
    _until_told_to_stop("projector", _project)


@run.command()
def webhooks() -> None:
    """Tell the webhooks of the events."""
    _until_told_to_stop("webhooks", _tell_webhooks)


def _decide(settings: Settings, ledger: Ledger, monitor: Monitor) -> None:
    from collections import Counter

    from console.monitoring.looks_of import decider_looks, snapshot_looks
    from console.running.decider_snapshots import snapshots_of
    from console.running.origins.own_signature import verifying
    from console.running.terms_files import terms_in_force
    from consumers.deciding.decider import GROUP, PartitionDecider, World
    from consumers.deciding.store import Store
    from consumers.runner import Partitions, run_partitions
    from ledger.log.kafka import KafkaLog, verify_world
    from ledger.log.seam import Topic
    from projector.runner import stop_on_signals

    opened = _opened(settings, ledger, verify_world(ledger.kafka))
    world = World(opened=opened, terms=terms_in_force(ledger), verifier=verifying(ledger, opened))
    member = settings.member_of("decider")
    log = monitor.log(KafkaLog(ledger.kafka, GROUP, Topic.COMMANDS, member), "decider")
    folder = settings.home_folder / "state"
    refusals: Counter[str] = Counter()
    monitor.refusals(refusals)
    monitor.look(decider_looks(ledger, monitor.meters))
    if settings.snapshot_seconds:
        monitor.look(snapshot_looks(ledger, monitor.meters))

    with snapshots_of(ledger, settings.snapshot_seconds) as (snapshots, writer):

        def decider_of(partition: int) -> PartitionDecider:
            topic_id = world.events_topic_id
            store = Store(
                folder,
                partition,
                topic_id,
                snapshots=snapshots,
                writer=writer,
                sharing=log.partition_count,
            )
            return PartitionDecider(log, partition, store, world, refusals)

        partitions = Partitions(log, decider_of)
        run_partitions(partitions, stop_on_signals(), lambda: _tell_ready(settings))


def _react(settings: Settings, ledger: Ledger, monitor: Monitor) -> None:
    from console.monitoring.looks_of import reactions_looks
    from console.running.origins.own_signature import must_sign
    from consumers.clock import SandboxClock, WallClock
    from consumers.deadlines.keeper import DeadlineKeeper
    from consumers.deadlines.table import DeadlineTable
    from consumers.reacting.reactor import GROUP, PartitionReactor
    from consumers.runner import Partitions, run_reactions
    from ledger.log.kafka import KafkaLog, KafkaTools
    from ledger.log.kafka.client.settings import gathered
    from ledger.log.kafka.reading.topic_tail import TopicTail
    from ledger.log.seam import Topic
    from ledger.origins.table import OWN
    from projector.runner import stop_on_signals

    sandbox, tools, kafka = settings.sandbox, KafkaTools(ledger.kafka), gathered(ledger.kafka)
    signing = must_sign(ledger, OWN)
    with connected(ledger.database_url) as connection:
        clock = SandboxClock(connection) if sandbox else WallClock()

        def keeper() -> DeadlineKeeper:
            source = monitor.source(TopicTail(kafka, Topic.EVENTS), "deadlines")
            rows = DeadlineTable(connection)
            return DeadlineKeeper(rows, source, tools, clock, sandbox=sandbox, signing=signing)

        member = settings.member_of("reactions")
        log = monitor.log(KafkaLog(kafka, GROUP, Topic.EVENTS, member), "reactions")
        monitor.look(reactions_looks(ledger, monitor.meters, sandbox=sandbox))
        partitions = Partitions(
            log, lambda p: PartitionReactor(log, p, sandbox=sandbox, signing=signing)
        )
        stop = stop_on_signals()
        run_reactions(partitions, connection, keeper, stop, lambda: _tell_ready(settings))


def _project(settings: Settings, ledger: Ledger, monitor: Monitor) -> None:
    from console.monitoring.looks_of import projector_looks
    from console.running.periodic_reconciliation import start_reconciling
    from console.running.terms_files import terms_in_force
    from consumers.clock import WallClock
    from consumers.deciding.progress import LedgerProgress
    from ledger.log.kafka import KafkaTools
    from ledger.log.kafka.reading.topic_tail import TopicTail
    from ledger.log.seam import EventSource, Topic
    from projector import runner
    from projector.following.projection import Projection

    stop = runner.stop_on_signals()
    monitor.look(projector_looks(ledger, monitor.meters))
    if settings.reconcile_seconds:
        start_reconciling(settings.reconcile_seconds, stop)
    projection = Projection(
        conninfo=ledger.database_url,
        ready_file=settings.ready_file,
        terms=terms_in_force(ledger),
        reach=LedgerProgress(KafkaTools(ledger.kafka), WallClock()),
    )

    def source() -> EventSource:
        return monitor.source(TopicTail(ledger.kafka, Topic.EVENTS), "projector")

    runner.run(projection, source, stop, monitor.vitals.turned)


def _tell_webhooks(settings: Settings, ledger: Ledger, monitor: Monitor) -> None:
    from secrets import SystemRandom

    from console.monitoring.looks_of import webhook_looks
    from console.monitoring.webhook_meters import WebhookMeters
    from console.running.webhook_networks import webhook_networks
    from console.sealing.master_key import master_key
    from console.sealing.webhook_secrets import unwrapping
    from consumers.clock import WallClock
    from consumers.runner import run_webhooks
    from consumers.webhooks.courier import Courier
    from consumers.webhooks.hooks import CONSUMER
    from consumers.webhooks.sending import Sender, Sending
    from consumers.webhooks.table import WebhookTable
    from consumers.webhooks.targets import CheckedNetwork
    from ledger.log.kafka.client.settings import gathered
    from ledger.log.kafka.reading.topic_tail import TopicTail
    from ledger.log.seam import Topic
    from projector.runner import stop_on_signals

    stop, clock = stop_on_signals(), WallClock()
    meters, master = WebhookMeters(monitor.meters.registry), master_key(settings)
    sending = Sending(
        network=CheckedNetwork(webhook_networks(settings)),
        clock=clock,
        unwrap=unwrapping(master),
    )
    monitor.look(webhook_looks(ledger, monitor.meters, meters))
    with connected(ledger.database_url) as connection, closing(Sender(sending)) as sender:

        def courier() -> Courier:
            tail = TopicTail(gathered(ledger.kafka), Topic.EVENTS)
            source = monitor.source(tail, CONSUMER)
            table, chance = WebhookTable(connection), SystemRandom().random
            return Courier(table, source, sender, clock, chance, meters.tell)

        turned = monitor.vitals.turned
        run_webhooks(connection, courier, stop, turned, lambda: _tell_ready(settings))


def _until_told_to_stop(process: str, work: Callable[[Settings, Ledger, Monitor], None]) -> None:
    """Run a process until it ends. Any error ends it at once, with all its threads."""
    from console.monitoring.monitor import monitored
    from consumers.allocator import keep_memory_together

    keep_memory_together()
    try:
        settings = _started()
        ledger = find_ledger(settings)
        use_schema_registry(settings, register=True)
        _collect_seldom()
        with monitored(settings, process) as monitor:
            work(settings, ledger, monitor)
    except Exception as error:
        told = explain(error)
        if told is None:
            sys.excepthook(type(error), error, error.__traceback__)
        else:
            sys.stderr.write(f"error: {told[1]}\n")
        sys.stderr.flush()
        os._exit(told[0] if told else 1)


def _collect_seldom() -> None:
    """Run the garbage collector less often: buffers hold tens of thousands of live records.

    Measured: 1,080 commands a second without this setting, 1,250 with it.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _started() -> Settings:
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr

    settings = read_settings()
    log_to_stderr(settings.log_level, json=settings.log_json)
    return settings


def _tell_ready(settings: Settings) -> None:
    if settings.ready_file is not None:
        settings.ready_file.touch()


def _opened(settings: Settings, ledger: Ledger, topic_ids: dict[Topic, UUID]) -> LedgerOpened:
    from console.terminal.output import version
    from ledger.vocabulary.events import LedgerOpened

    return LedgerOpened(
        partition_count=ledger.partition_count,
        topic_ids={topic.value: str(found) for topic, found in topic_ids.items()},
        sandbox=settings.sandbox,
        program_version=version(),
    )


def _same_kind(ledger: Ledger, sandbox: bool) -> None:
    """Refuse a ledger of the other kind: its opening event says which kind it is."""
    from ledger.log.kafka import KafkaTools
    from ledger.log.seam import Topic
    from ledger.vocabulary.events import LedgerOpened
    from ledger.wire.avro.codec import decode_event

    tools = KafkaTools(ledger.kafka)
    try:
        if not any(tools.end_offsets(Topic.EVENTS)):
            return
        first = next(tools.replay(Topic.EVENTS), None)
        opened: Any = decode_event(first.value).body if first else None
        if isinstance(opened, LedgerOpened) and opened.sandbox != sandbox:
            raise Failed(kind_differs(str(ledger.bootstrap), was_sandbox=opened.sandbox))
    finally:
        tools.close()


def kind_differs(where: str, *, was_sandbox: bool) -> str:
    """The error if a sandbox is requested but the ledger is none, or the other way round."""
    was = "a sandbox" if was_sandbox else "not a sandbox"
    again = "refundctl up --sandbox" if was_sandbox else "refundctl up"
    return (
        f"the ledger in {where} was opened as {was}, and stays so; start it with '{again}', or "
        "set REFUNDS_HOME to a new folder"
    )

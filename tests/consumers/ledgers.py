"""A decider on a log in memory, and the commands to feed it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from consumers.follow_ups import command_record
from ledger.log.memory import MemoryCluster
from ledger.log.seam import LogRecord, Outgoing, Topic
from ledger.terms.table import released_terms
from ledger.values.ids import partition_of
from ledger.values.instants import Instant
from ledger.vocabulary.commands import Command, OpenAccount, SetAccountStanding
from ledger.vocabulary.envelope import ZERO_HASH, CommandMeta, GivenCommand, RecordedEvent
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import AccountType, Actor, Role
from ledger.wire.avro.codec import body_hash, decode_event

START = 1_767_600_000_000_000


def world(
    *, sandbox: bool = False, max_batch: int = 100, topic_id: str = "t-1", partitions: int = 1
) -> World:
    """The world of a ledger."""
    topic_ids = {topic.value: f"{topic_id}-{topic.value}" for topic in Topic}
    opened = LedgerOpened(
        partition_count=partitions, topic_ids=topic_ids, sandbox=sandbox, program_version="test"
    )
    return World(opened=opened, terms=released_terms(), max_batch=max_batch)


class Bench:
    """One partition on a broker in memory; its clock stands still until it is moved."""

    def __init__(self, folder: Path | None = None, *, sandbox: bool = False) -> None:
        self.now: Instant = START
        self.folder = folder
        self.world = world(sandbox=sandbox)
        self.cluster = MemoryCluster(1, lambda: self.now)

    def decider(self) -> PartitionDecider:
        """A new owner of the partition, restored."""
        store = Store(self.folder, 0, self.world.events_topic_id)
        owner = PartitionDecider(self.cluster.consumer(GROUP, Topic.COMMANDS), 0, store, self.world)
        owner.restore()
        return owner

    def publish(self, *records: Outgoing) -> None:
        """As upstream does."""
        self.cluster.publish(records)

    def records(self, topic: Topic) -> list[LogRecord]:
        """Everything in a topic."""
        return list(self.cluster.replay(topic))

    def events(self) -> list[RecordedEvent]:
        """Everything in the ledger."""
        return [decode_event(found.value) for found in self.records(Topic.EVENTS)]

    def outcomes(self) -> list[tuple[str, str]]:
        """Event names with the command each answers, without the opening."""
        return [(event.name, event.meta.causation_id) for event in self.events()[1:]]


def given(
    command_id: str,
    body: Command,
    *,
    account: str = "acct-1",
    role: Role = Role.BILLING,
    sandbox_at: Instant | None = None,
) -> GivenCommand:
    """A command as upstream would give it."""
    meta = CommandMeta(
        command_id=command_id,
        account_id=account,
        actor=Actor(id="upstream", role=role),
        sandbox_at=sandbox_at,
    )
    return GivenCommand(meta=meta, body=body)


def record(command: GivenCommand, partitions: int = 1) -> Outgoing:
    """The record of a command."""
    return command_record(command, partitions)


def opening(account: str = "acct-1", command_id: str = "open") -> GivenCommand:
    """An ONLINE account in CNY."""
    body = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    return given(command_id, body, account=account)


def standing(number: int, account: str = "acct-1") -> GivenCommand:
    """A command that is always accepted once the account is open."""
    return given(f"s-{number}", SetAccountStanding(in_arrears=bool(number % 2)), account=account)


def assert_one_chain(found: Sequence[LogRecord], partitions: int) -> dict[str, int]:
    """Log sequences, hashes and account sequences are without a gap; returns events per account."""
    last = dict.fromkeys(range(partitions), (-1, ZERO_HASH))
    per_account: dict[str, int] = {}
    for each in found:
        assert each.value is not None
        meta = decode_event(each.value).meta
        number, last_hash = last[each.partition]
        assert (meta.log_sequence, meta.prev_hash) == (number + 1, last_hash)
        last[each.partition] = (meta.log_sequence, body_hash(each.value))
        if meta.account_id:
            assert meta.sequence == per_account.get(meta.account_id, 0) + 1
            assert each.partition == partition_of(meta.account_id.encode(), partitions)
            per_account[meta.account_id] = meta.sequence
    return per_account

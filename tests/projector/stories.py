"""Events as the decider would have recorded them: gapless, chained, and a log made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256

from ledger import postings
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Batch, Outgoing, Topic
from ledger.values.ids import derived_id, partition_of
from ledger.values.instants import DAY, SECOND, Instant, parse_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.envelope import NEWEST_EDITION, ZERO_HASH, EventMeta, RecordedEvent
from ledger.vocabulary.events import (
    AccountOpened,
    BalanceCredited,
    CommandRefused,
    Event,
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    InstanceReturnQuoted,
    LedgerOpened,
    RefundCorrected,
    RefundIssued,
    RefundSettled,
)
from ledger.vocabulary.shapes import (
    AccountType,
    Actor,
    Channel,
    DestructionReason,
    Funds,
    IsolationReason,
    OrderKind,
    OrderLine,
    Parts,
    RefundRule,
    RefundSource,
    Role,
    SourceKind,
    WorkingStep,
)
from ledger.wire.avro.codec import encode_event

START: Instant = parse_instant("2026-01-05T08:00:00Z")
OWNER = Actor(id="u-1", role=Role.OWNER)
WORKING = (WorkingStep(step="paid", inputs={"cash": "200.00"}, result="407.96"),)


class Story:
    """Records events one command after another, an hour apart, and keeps the records."""

    def __init__(self, partition_count: int = 3) -> None:
        self.partition_count = partition_count
        self.now = START
        self.events: list[RecordedEvent] = []
        self.values: dict[int, list[bytes]] = {p: [] for p in range(partition_count)}
        self._last_hash = dict.fromkeys(range(partition_count), ZERO_HASH)
        self._sequences: dict[str, int] = defaultdict(int)
        self._commands = 0
        for partition in range(partition_count):
            self._open(partition)

    def command(
        self,
        account: str,
        *bodies: Event,
        command_id: str | None = None,
        at: Instant | None = None,
    ) -> list[RecordedEvent]:
        """One command and the events it led to; an hour after the last one, or `at` an instant."""
        self._commands += 1
        self.now = self.now + 3_600 * SECOND if at is None else at
        name = command_id or f"c-{self._commands}"
        partition = partition_of(account.encode(), self.partition_count)
        return [
            self._record(partition, account, name, body, index=index, count=len(bodies))
            for index, body in enumerate(bodies)
        ]

    def _open(self, partition: int) -> None:
        opened = LedgerOpened(
            partition_count=self.partition_count,
            topic_ids={"refunds.events.v1": "t"},
            sandbox=False,
            program_version="0",
        )
        self._record(partition, "", "", opened, index=0, count=1)

    def _record(
        self, partition: int, account: str, command_id: str, body: Event, *, index: int, count: int
    ) -> RecordedEvent:
        if account:
            self._sequences[account] += 1
        event = RecordedEvent(
            meta=EventMeta(
                event_id=derived_id(account, command_id, str(partition), str(index)),
                account_id=account,
                sequence=self._sequences[account] if account else 0,
                source_partition=partition,
                source_offset=self._commands - 1,
                index=index,
                count=count,
                log_sequence=len(self.values[partition]),
                prev_hash=self._last_hash[partition],
                recorded_at=self.now if account else 0,
                occurred_at=self.now if account else 0,
                causation_id=command_id,
                command_digest=sha256(command_id.encode()).digest(),
                correlation_id=command_id,
                actor=OWNER,
                terms="2026-01",
                edition=NEWEST_EDITION,
                origin="billing" if account else "",
                origin_key="k1" if account else "",
                origins=f"1:{sha256(b'a table').hexdigest()}" if account else "",
                approved_by="u-2" if account else "",
            ),
            body=body,
        )
        value, self._last_hash[partition] = encode_event(event)
        self.values[partition].append(value)
        self.events.append(event)
        return event


class MemorySource:
    """The events topic in memory, as the projector reads it."""

    def __init__(self, partition_count: int, topic_id: str = "topic-1") -> None:
        self.topic_id = topic_id
        self.cluster = MemoryCluster(partition_count, lambda: START)
        self._log = self.cluster.consumer("source", Topic.EVENTS)

    def append(self, values: Mapping[int, list[bytes]]) -> None:
        """Publish records, partition by partition."""
        for partition, each in values.items():
            self.cluster.publish(
                [Outgoing(topic=Topic.EVENTS, partition=partition, key=b"", value=v) for v in each]
            )

    def ends(self) -> tuple[int, ...]:
        return self.cluster.end_offsets(Topic.EVENTS)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        found: dict[int, Batch] = {}
        for partition, position in positions.items():
            batch = self._log.read(Topic.EVENTS, partition, position, max_records, timeout_seconds)
            if batch.next_position != position:
                found[partition] = batch
                max_records -= len(batch.records)
        return found

    def close(self) -> None:
        pass


def told() -> Story:
    """A story that touches every view of the instance world."""
    story = Story()
    for account, currency in (("acct-1", "CNY"), ("acct-2", "JPY"), ("acct-3", "KWD")):
        story.command(account, opened(currency))
    story.command("acct-1", order("o-1", "i-1", "i-2"))
    story.command("acct-2", order("o-1", "i-1", currency="JPY"))
    story.command("acct-1", quoted("i-1", 40_796), command_id="c-quote")
    story.command("acct-1", isolated("i-1"), issued("r-1", "i-1", 20_000, 20_796))
    story.command("acct-1", credited("r-1", 20_000, 20_796), settled("r-1"))
    story.command("acct-1", refused("ReturnInstance", "c-no"), command_id="c-no")
    story.command("acct-1", order("o-2", "i-1", kind=OrderKind.RENEWAL, averts=("iso-i-1",)))
    story.command("acct-1", restored("i-1"))
    story.command("acct-1", isolated("i-2", IsolationReason.EXPIRED))
    story.command("acct-1", destroyed("i-2"))
    story.command("acct-2", isolated("i-1"), issued("r-1", "i-1", 500, 0, currency="JPY"))
    story.command("acct-2", credited("r-1", 500, 0, currency="JPY"), settled("r-1", "JPY"))
    story.command("acct-1", corrected("r-1", 20_000, 20_796))
    return story


def opened(currency: str = "CNY") -> AccountOpened:
    return AccountOpened(account_type=AccountType.ONLINE, us_government=False, currency=currency)


def order(
    order_id: str,
    *instance_ids: str,
    kind: OrderKind = OrderKind.NEW,
    averts: tuple[str, ...] = (),
    currency: str = "CNY",
) -> InstanceOrderRecorded:
    return InstanceOrderRecorded(
        order_id=order_id,
        kind=kind,
        channel=Channel.STANDARD,
        starts_at=START,
        ends_at=START + 365 * DAY,
        delivered_at=START,
        lines=tuple(
            OrderLine(
                instance_id=instance_id,
                product="cvm-s5",
                region="ap-guangzhou",
                paid=Funds(cash=20_000, gift=20_796),
                components=(),
            )
            for instance_id in instance_ids
        ),
        averted_isolation_ids=averts,
        currency=currency,
    )


def quoted(instance_id: str, amount: int) -> InstanceReturnQuoted:
    return InstanceReturnQuoted(
        quote_id=f"q-{instance_id}",
        instance_id=instance_id,
        expires_at=START + DAY,
        rule=RefundRule.FIVE_DAYS_NO_REASON,
        gross=amount,
        fee=0,
        amount=amount,
        working=WORKING,
        currency="CNY",
    )


def isolated(
    instance_id: str, reason: IsolationReason = IsolationReason.RETURNED
) -> InstanceIsolated:
    return InstanceIsolated(
        instance_id=instance_id,
        isolation_id=f"iso-{instance_id}",
        reason=reason,
        isolated_at=START + DAY,
        restore_until=START + 8 * DAY,
        charges_stopped_at=START + DAY,
    )


def restored(instance_id: str) -> InstanceRestored:
    return InstanceRestored(
        instance_id=instance_id,
        isolation_id=f"iso-{instance_id}",
        renewal_order_id="o-2",
        restored_at=START + 2 * DAY,
    )


def destroyed(instance_id: str) -> InstanceDestroyed:
    return InstanceDestroyed(
        instance_id=instance_id,
        isolation_id=f"iso-{instance_id}",
        reason=DestructionReason.RETENTION_ELAPSED,
        data_purged=True,
        ip_released=True,
    )


def issued(
    refund_id: str, instance_id: str, cash: int, gift: int, currency: str = "CNY"
) -> RefundIssued:
    return RefundIssued(
        refund_id=refund_id,
        source=RefundSource(kind=SourceKind.INSTANCE, id=instance_id),
        rule=RefundRule.FIVE_DAYS_NO_REASON,
        gross=cash + gift,
        fee=0,
        amount=cash + gift,
        parts=Parts(cash=cash, gift=gift),
        quota_spent=True,
        working=WORKING,
        postings=postings.refund_issued(cash + gift, 0),
        currency=currency,
    )


def credited(refund_id: str, cash: int, gift: int, currency: str = "CNY") -> BalanceCredited:
    return BalanceCredited(
        refund_id=refund_id,
        cash=cash,
        gift=gift,
        expected_arrival_at=START + 10 * DAY,
        postings=postings.balance_credited(cash, gift),
        currency=currency,
    )


def settled(refund_id: str, currency: str = "CNY") -> RefundSettled:
    return RefundSettled(refund_id=refund_id, currency=currency)


def corrected(refund_id: str, cash: int, gift: int) -> RefundCorrected:
    made = (
        *postings.refund_issued(cash + gift, 0),
        *postings.balance_credited(cash, gift),
    )
    return RefundCorrected(
        refund_id=refund_id,
        reason="ticket 7",
        quota_restored=False,
        cap_restored=False,
        postings=postings.reversal(made),
        currency="CNY",
    )


def refused(command_type: str, command_id: str) -> CommandRefused:
    return CommandRefused(
        command_type=command_type,
        command_id=command_id,
        violations=(
            Violation(
                rule="return_quota",
                code=Code.RETURN_QUOTA_EXHAUSTED,
                message="account acct-1: all returns are used",
                figures={"consumed": "199", "limit": "199"},
            ),
            Violation(
                rule="act_on_a_quote",
                code=Code.QUOTE_REQUIRED,
                message="instance i-1: ask for a quote first",
                figures={},
            ),
        ),
    )

"""What the handlers do is counted through the interface of the log, and told to Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from console.monitoring.monitor import Monitor
from console.monitoring.vitals import Vitals
from consumers.deciding.decider import GROUP, CommitLost, PartitionDecider
from consumers.deciding.store import Store
from ledger.log.seam import Batch, LogRecord, Outgoing, Topic
from ledger.origins.verifying import Verifier
from ledger.vocabulary.commands import RefundMarketplaceManually
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.sealing import AccountKey, sealed_command
from tests.consumers.ledgers import Bench, given, opening, record, standing
from tests.ledger.origins.tables import REQUIRED, history_of, secrets_of

GARBAGE = Outgoing(topic=Topic.COMMANDS, partition=0, key=b"acct-1", value=b"garbage")
"""A record that nobody can read."""


class Watched:
    """A decider on a log in memory, watched."""

    def __init__(self, *, texts_sealed: bool = False) -> None:
        self.bench = Bench()
        self.registry = CollectorRegistry()
        self.vitals = Vitals()
        self.monitor = Monitor(self.vitals, self.registry, texts_sealed=texts_sealed)
        self.log = self.monitor.log(self.bench.cluster.consumer(GROUP, Topic.COMMANDS), "decider")
        self.refusals: Counter[str] = Counter()
        self.monitor.refusals(self.refusals)
        store = Store(None, 0, self.bench.world.events_topic_id)
        self.decider = PartitionDecider(self.log, 0, store, self.bench.world, self.refusals)

    def value(self, name: str, **labels: str) -> float | None:
        """A sample as Prometheus reads it."""
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def watched() -> Watched:
    found = Watched()
    found.log.owned(0.0)
    found.decider.restore()
    return found


def test_a_batch_is_counted_with_what_was_written_and_set_aside(watched: Watched) -> None:
    watched.bench.publish(record(opening()), record(standing(1)), GARBAGE)
    watched.decider.step(0.0)

    assert watched.value("refunds_records_handled_total", consumer="decider") == 3
    events = watched.value(
        "refunds_records_written_total", consumer="decider", topic="refunds.events.v1"
    )
    assert events == 3  # the opening of the log, and one for each command
    assert watched.value("refunds_dead_letters_total", reason="NOT_OURS") == 1
    assert watched.value("refunds_batch_records_count", consumer="decider") == 2
    assert watched.value("refunds_batch_records_sum", consumer="decider") == 3
    assert watched.value("refunds_commit_seconds_count", consumer="decider") == 2


def test_refusals_are_counted_by_the_rules_that_they_violate(watched: Watched) -> None:
    watched.bench.publish(record(standing(1)), record(opening()), record(standing(2)))
    watched.decider.step(0.0)
    assert watched.value("refunds_refusals_total", rule="existence_and_state") == 1


def test_a_commit_whose_result_is_not_known_is_not_counted(watched: Watched) -> None:
    watched.bench.publish(record(opening()))
    watched.bench.cluster.lose_next_reply(applied=False)
    with pytest.raises(CommitLost):
        watched.decider.step(0.0)
    assert watched.value("refunds_records_handled_total", consumer="decider") == 0


def test_a_restore_is_told_while_it_runs(watched: Watched) -> None:
    watched.bench.publish(record(opening()), record(standing(1)))
    watched.decider.step(0.0)
    watched.log.owned(0.0)
    assert watched.value("refunds_ready") == 1

    watched.log.fence(0)
    end = watched.log.high_watermark(Topic.EVENTS, 0)
    watched.log.read(Topic.EVENTS, 0, 0, 2, 0.0)
    labels = {"consumer": "decider", "partition": "0"}
    assert watched.value("refunds_restore_position", **labels) == 3  # after the marker of a commit
    assert watched.value("refunds_restore_end", **labels) == end
    assert watched.value("refunds_ready") == 0

    watched.log.read(Topic.COMMANDS, 0, 2, 1, 0.0)
    assert watched.value("refunds_restore_end", **labels) is None
    assert watched.value("refunds_ready") == 1


def test_the_partitions_of_a_member_are_told(watched: Watched) -> None:
    watched.log.owned(0.0)
    assert watched.value("refunds_partitions_owned", consumer="decider") == 1
    watched.log.close()
    assert watched.value("refunds_partitions_owned", consumer="decider") == 0


class Tail:
    """Two partitions with one record each, read one batch at a time."""

    topic_id = "t-1"

    def ends(self) -> tuple[int, ...]:
        return (1, 1)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        return {
            partition: Batch(records=(RECORD,), next_position=1)
            for partition, position in positions.items()
            if not position
        }

    def close(self) -> None:
        """Nothing."""


RECORD = LogRecord(partition=0, offset=0, appended_at=0, key=None, value=None)


def test_a_batch_of_a_tail_is_counted_when_the_next_one_is_asked_for(watched: Watched) -> None:
    tail = watched.monitor.source(Tail(), "projector")
    tail.read({0: 0, 1: 0}, 10, 0.0)
    assert watched.value("refunds_records_handled_total", consumer="projector") is None
    tail.read({0: 1, 1: 1}, 10, 0.0)
    assert watched.value("refunds_records_handled_total", consumer="projector") == 2


def test_a_tail_has_begun_its_work_when_it_has_read_what_was_there() -> None:
    vitals = Vitals()
    tail = Monitor(vitals, CollectorRegistry()).source(Tail(), "projector")
    tail.read({0: 1, 1: 0}, 10, 0.0)
    assert vitals.why_not_ready() is not None
    tail.read({0: 1, 1: 1}, 10, 0.0)
    assert vitals.why_not_ready() is None
    tail.close()
    assert vitals.why_not_ready() is not None


def test_origins_that_strangers_make_up_take_bounded_memory(watched: Watched) -> None:
    for number in range(1_000):
        watched.monitor.meters.signature_failed(f"origin-{number}", "FORGED")
    (found,) = (
        each for each in watched.registry.collect() if each.name == "refunds_signature_failures"
    )
    counts = {s.labels["origin"]: s.value for s in found.samples if s.name.endswith("_total")}
    assert len(counts) == 101
    assert counts["other"] == 900


def test_a_command_that_is_not_proven_is_counted_by_who_it_says_it_is(watched: Watched) -> None:
    history = history_of(*REQUIRED)
    verifier = Verifier(history, secrets_of(history), "another ledger")
    watched.bench.world = replace(watched.bench.world, verifier=lambda: verifier)
    store = Store(None, 0, watched.bench.world.events_topic_id)
    decider = PartitionDecider(watched.log, 0, store, watched.bench.world)
    decider.restore()
    claimed = replace(record(opening()), headers=(*record(opening()).headers, *HEADERS))
    watched.bench.publish(record(opening()), claimed)
    decider.step(0.0)
    name = "refunds_signature_failures_total"
    assert watched.value(name, origin="none", reason="NOT_SIGNED") == 1
    assert watched.value(name, origin="billing", reason="WRONG_SIGNATURE") == 1


def test_a_clear_text_is_counted_where_texts_must_be_sealed() -> None:
    key = AccountKey(number=1, secret=bytes(32))
    for texts_sealed, count in ((True, 2), (False, None)):
        watched = Watched(texts_sealed=texts_sealed)
        watched.log.owned(0.0)
        watched.decider.restore()
        clear = [with_ticket("t-1"), with_ticket("t-2")]
        done = sealed_command(with_ticket("t-3"), key)
        records = [record(each) for each in (opening(), *clear, done)]
        watched.bench.publish(*records, GARBAGE)
        watched.decider.step(0.0)
        name = "refunds_clear_texts_total"
        assert watched.value(name, command="RefundMarketplaceManually") == count
        assert watched.value(name, command="OpenAccount") is None


def with_ticket(command_id: str) -> GivenCommand:
    body = RefundMarketplaceManually(purchase_id="p-1", ticket="T-1", amount=1, currency="CNY")
    return given(command_id, body)


HEADERS = (("refunds-origin", b"billing/k1"), ("refunds-signature", b"00"))

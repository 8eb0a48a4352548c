"""The reconciliation agrees with sound read models, and finds every fault planted in them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from ledger.audit.spool import Spool
from ledger.log.seam import Batch, LogRecord, WrongWorld
from ledger.vocabulary.events import (
    AccountStandingChanged,
    CardChanged,
    CardRefundRequested,
    PostpaidInstanceStarted,
    RefundHeld,
    RefundIssued,
    ReservationCancelled,
    ReservationExchanged,
    ReservationExchangeQuoted,
    ReservationExpired,
    ReservationPurchased,
    ReservationSwapped,
    ReservationTransferred,
)
from ledger.vocabulary.shapes import HoldReason, ReturnedLeg
from ledger.wire.avro.codec import decode_event
from projector.reconciling.account_slices import Slices
from projector.reconciling.reconcile import Divergence, Reconciliation, reconcile
from projector.views import VIEWS
from tests.projector.conftest import PASSING_TRIGGERS, catch_up
from tests.projector.decided import decided_values
from tests.projector.stories import MemorySource, Story, told
from tests.samples import sample

CHANGES = {
    "accounts": "in_arrears = true",
    "balances": "cash = cash + 1",
    "instances": "state = 'LOST'",
    "recycle_bin": "restore_until = restore_until + 1",
    "refunds": "working = '[]'",
    "annual_refund_totals": "counts = false",
    "refusals": 'figures = figures || \'{"limit": "200"}\'',
    "postings": "amount = amount + 1",
    "outcomes": "event_name = 'Nothing'",
    "reservations": "quantity = quantity + 1",
}


def everything() -> Story:
    """The story, with a word of each kind the instance world does not say."""
    story = told()
    story.command("acct-3", AccountStandingChanged(in_arrears=True), CardChanged(card_id="card-9"))
    story.command("acct-3", PostpaidInstanceStarted(instance_id="i-p", product="p", region="r"))
    given_back = replace(sample(ReservationPurchased), reservation_id="v-old", quantity=5)
    story.command("acct-3", given_back)
    leg = replace(sample(ReturnedLeg), reservation_id="v-old", quantity=2, quantity_left=1)
    traded = replace(sample(ReservationExchanged), returned=(leg,))
    story.command("acct-3", traded, sample(ReservationExchangeQuoted))
    last = ReservationCancelled(reservation_id="v-old", quantity=1, quantity_left=0, instalment=1)
    bought = traded.bought[0].reservation_id
    swapped = ReservationSwapped(reservation_id=bought, sku="new", previous_sku="old")
    moved = ReservationTransferred(reservation_id=bought, owners=("u-2", "u-3"))
    ended = ReservationExpired(reservation_id=traded.bought[1].reservation_id, quantity=1)
    for body in (last, swapped, moved, ended):
        story.command("acct-3", body)
    refund = replace(sample(RefundIssued), refund_id="r-capped")
    story.command("acct-3", refund)
    asked = replace(sample(CardRefundRequested), refund_id="r-capped")
    held = RefundHeld(refund_id="r-capped", reason=HoldReason.GATEWAY_FAILED, currency="CNY")
    story.command("acct-3", asked)
    story.command("acct-3", held)
    story.command("acct-3", asked)
    return story


@pytest.fixture
def source() -> MemorySource:
    story = everything()
    source = MemorySource(story.partition_count)
    source.append(story.values)
    return source


def compared(conninfo: str, source: MemorySource) -> Reconciliation:
    return reconcile(conninfo, source)


def tamper(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute(PASSING_TRIGGERS)
        touched = connection.execute(statement.encode()).rowcount
        assert touched > 0


def test_sound_read_models_agree_with_the_log(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    found = compared(migrated, source)
    assert found.divergences == ()
    assert found.positions == dict(enumerate(source.ends()))
    assert found.rows > 70


def test_every_view_has_rows_to_compare(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    with psycopg.connect(migrated) as connection:
        for view in VIEWS:
            query = f"SELECT FROM read_models.{view.TABLE.name}"
            assert connection.execute(query.encode()).rowcount > 0, view.TABLE.name


def test_what_the_decider_decided_is_shown_as_the_log_has_it(migrated: str) -> None:
    source = MemorySource(1)
    source.append(decided_values())
    catch_up(migrated, source)
    assert compared(migrated, source).divergences == ()
    with psycopg.connect(migrated) as connection:
        states = connection.execute(
            "SELECT instance_id, state FROM finance.recycle_bin ORDER BY instance_id"
        ).fetchall()
        (balance,) = connection.execute("SELECT total_minor FROM finance.balances").fetchall()
    assert states == [("i-1", "RESTORED"), ("i-2", "DESTROYED"), ("i-3", "DESTROYED")]
    assert balance[0] == 40_796


def test_a_projector_behind_the_log_is_compared_where_it_stands(
    migrated: str, source: MemorySource
) -> None:
    half = MemorySource(3)
    half.append({p: values[: len(values) // 2] for p, values in everything().values.items()})
    catch_up(migrated, half)
    found = compared(migrated, source)
    assert found.divergences == ()
    assert found.positions == dict(enumerate(half.ends()))


@pytest.mark.parametrize("view", CHANGES)
def test_a_changed_row_is_found(migrated: str, source: MemorySource, view: str) -> None:
    catch_up(migrated, source)
    first = f"(SELECT min(ctid) FROM read_models.{view})"
    tamper(migrated, f"UPDATE read_models.{view} SET {CHANGES[view]} WHERE ctid = {first}")
    (divergence,) = compared(migrated, source).divergences
    assert divergence.view == view
    assert set(divergence.found) == {CHANGES[view].partition(" ")[0]}
    assert divergence.expected != divergence.found


@pytest.mark.parametrize("view", CHANGES)
def test_a_missing_row_is_found(migrated: str, source: MemorySource, view: str) -> None:
    catch_up(migrated, source)
    first = f"(SELECT min(ctid) FROM read_models.{view})"
    tamper(migrated, f"DELETE FROM read_models.{view} WHERE ctid = {first}")
    (divergence,) = compared(migrated, source).divergences
    assert (divergence.view, divergence.found) == (view, {})


def test_a_row_too_many_is_found(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    tamper(migrated, "INSERT INTO read_models.balances VALUES ('acct-9', 'CNY', 1, 2)")
    found: dict[str, Any] = {"account_id": "acct-9", "currency": "CNY", "cash": 1, "gift": 2}
    assert compared(migrated, source).divergences == (
        Divergence(view="balances", key=("acct-9",), expected={}, found=found),
    )


def test_only_the_first_of_several_faults_in_a_view_is_told(
    migrated: str, source: MemorySource
) -> None:
    catch_up(migrated, source)
    tamper(migrated, "UPDATE read_models.balances SET gift = gift + 7")
    (divergence,) = compared(migrated, source).divergences
    assert (divergence.key, divergence.expected, divergence.found) == (
        ("acct-1",),
        {"gift": 0},
        {"gift": 7},
    )


def test_a_checkpoint_that_names_another_event_is_found(
    migrated: str, source: MemorySource
) -> None:
    catch_up(migrated, source)
    tamper(migrated, "UPDATE consumers.checkpoints SET log_sequence = 5 WHERE partition = 1")
    (divergence,) = compared(migrated, source).divergences
    assert (divergence.view, divergence.key, divergence.found["log_sequence"]) == (
        "checkpoints",
        (1,),
        5,
    )


def test_a_database_of_another_log_is_not_compared(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    source.topic_id = "topic-2"
    with pytest.raises(WrongWorld, match="topic id topic-1"):
        compared(migrated, source)


class Keyed:
    """The same records under the keys that the decider gives them."""

    def __init__(self, source: MemorySource) -> None:
        self.topic_id, self._source = source.topic_id, source

    def ends(self) -> tuple[int, ...]:
        return self._source.ends()

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        found = self._source.read(positions, max_records, timeout_seconds)
        return {p: replace(b, records=tuple(map(_keyed, b.records))) for p, b in found.items()}

    def close(self) -> None:
        self._source.close()


def _keyed(record: LogRecord) -> LogRecord:
    return replace(record, key=decode_event(record.value).meta.account_id.encode())


def test_slices_of_any_size_find_what_the_whole_finds(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    keyed = Keyed(source)
    whole = reconcile(migrated, keyed)
    assert reconcile(migrated, keyed, slice_events=4) == whole
    for view, change in CHANGES.items():
        tamper(migrated, f"UPDATE read_models.{view} SET {change}")
    whole = reconcile(migrated, keyed)
    sliced = reconcile(migrated, keyed, slice_events=2)
    assert {each.view for each in whole.divergences} == set(CHANGES)
    assert sorted(whole.divergences, key=str) == sorted(sliced.divergences, key=str)


def test_every_table_can_be_dealt_into_slices() -> None:
    assert [view.TABLE.name for view in VIEWS if "account_id" not in view.TABLE.columns] == []


def test_an_account_is_in_the_same_slice_here_and_in_the_database(migrated: str) -> None:
    accounts = ["", "acct-1", "账户", "a\u2400b", *(f"acct-{n}" for n in range(50))]
    slices = Slices(count=7)
    query = sql.SQL("SELECT {} FROM unnest({}::text[]) AS a (account_id)").format(
        slices.number_of_row, accounts
    )
    with psycopg.connect(migrated) as connection:
        numbers = [row[0] for row in connection.execute(query)]
    assert numbers == [slices.number_of(account.encode()) for account in accounts]
    assert set(numbers) == set(range(7))
    assert slices.number_of(b"a\x00b") == slices.number_of("a\u2400b".encode())


def test_a_spool_gives_back_each_slice_in_order_however_little_it_holds_in_memory() -> None:
    values = [(n * n % 5, b"%d" % n) for n in range(100)]
    with closing(Spool(waiting_bytes=9)) as spool:
        for number, value in values:
            spool.put(number, value)
        for wanted in range(6):
            assert list(spool.take(wanted)) == [v for number, v in values if number == wanted]

"""The projector on a real database: whole batches or nothing, and nothing it cannot vouch for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from threading import Event as Flag
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ledger.log.seam import Batch, LogUnavailable, WrongWorld
from ledger.vocabulary.envelope import ZERO_HASH
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.event_reader import BrokenLog
from projector.following.projection import CONSUMER, Projection, project
from projector.rows.changes import ImpossibleChange
from projector.runner import run
from projector.views import VIEWS
from tests.projector.conftest import PASSING_TRIGGERS, OnePass, catch_up, dump
from tests.projector.stories import MemorySource, Story, credited, isolated, opened, told

WAIT_SECONDS = 30.0


@pytest.fixture
def source() -> MemorySource:
    """The events topic with the whole story in it."""
    story = told()
    source = MemorySource(story.partition_count)
    source.append(story.values)
    return source


def test_rows_and_checkpoints_stand_at_the_end_of_the_log(
    migrated: str, source: MemorySource
) -> None:
    catch_up(migrated, source)
    found = dump(migrated)
    assert [row[3] for row in found["checkpoints"]] == list(source.ends())
    assert [(row[0], int(row[2]), int(row[3])) for row in found["balances"]] == [
        ("acct-1", 0, 0),
        ("acct-2", 500, 0),
        ("acct-3", 0, 0),
    ]


@pytest.mark.parametrize("max_records", [1, 2, 7])
def test_batches_of_any_size_give_the_same_read_models(
    migrated: str, source: MemorySource, max_records: int
) -> None:
    catch_up(migrated, source, max_records)
    small = dump(migrated)
    _empty(migrated)
    catch_up(migrated, source)
    assert small == dump(migrated)


def test_what_was_shown_is_not_read_again(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    before = dump(migrated)
    catch_up(migrated, source)
    assert dump(migrated) == before


def test_a_batch_that_fails_leaves_neither_rows_nor_checkpoint(
    migrated: str, source: MemorySource
) -> None:
    batches = source.read(dict.fromkeys(range(3), 0), 5_000, 0)
    places = {p: Checkpoint(partition=p) for p in range(3)}
    before = dump(migrated)
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("ALTER TABLE consumers.checkpoints ADD CHECK (next_offset < 2)")
        with pytest.raises(psycopg.errors.CheckViolation):
            project(connection, Projection(conninfo=migrated), "topic-1", places, batches)
    assert dump(migrated) == before


def test_a_batch_shown_twice_stops_the_projector(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("DELETE FROM consumers.checkpoints")
    with pytest.raises(ImpossibleChange, match="already there"):
        catch_up(migrated, source)


def test_a_row_missing_beneath_a_change_stops_the_projector(migrated: str) -> None:
    story = Story()
    story.command("acct-1", credited("r-1", 1, 2))
    source = MemorySource(3)
    source.append(story.values)
    with pytest.raises(ImpossibleChange, match=r"read_models\.\w+: 1 rows to change, 0 are there"):
        catch_up(migrated, source)


def test_a_log_that_goes_on_is_followed(migrated: str) -> None:
    story = Story()
    story.command("acct-1", opened())
    source = MemorySource(3)
    source.append(story.values)
    catch_up(migrated, source)
    known = {partition: len(values) for partition, values in story.values.items()}
    story.command("acct-2", opened("JPY"))
    source.append({p: values[known[p] :] for p, values in story.values.items()})
    catch_up(migrated, source)
    assert [row[0] for row in dump(migrated)["accounts"]] == ["acct-1", "acct-2"]


def test_a_restored_older_database_catches_up(migrated: str, source: MemorySource) -> None:
    half = MemorySource(3)
    half.append({p: values[: len(values) // 2] for p, values in told().values.items()})
    catch_up(migrated, half)
    catch_up(migrated, source)
    whole = dump(migrated)
    _empty(migrated)
    catch_up(migrated, source)
    assert dump(migrated) == whole


def test_another_topic_under_the_same_name_is_refused(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    source.topic_id = "topic-2"
    with pytest.raises(WrongWorld, match=r"filled from topic id topic-1, but the broker's is topi"):
        catch_up(migrated, source)


def test_a_database_ahead_of_the_log_is_refused(migrated: str, source: MemorySource) -> None:
    catch_up(migrated, source)
    with pytest.raises(WrongWorld, match=r"partition 0 .* offset 1, but the log's end is 0"):
        catch_up(migrated, MemorySource(3))


def test_a_log_with_a_missing_event_stops_at_its_offset(migrated: str) -> None:
    values = told().values
    source = MemorySource(3)
    source.append({2: [*values[2][:4], *values[2][5:]]})
    with pytest.raises(BrokenLog, match=r"v1 partition 2 offset 4: .* log_sequence 5, expected 4"):
        catch_up(migrated, source)


def test_a_log_with_another_past_stops_at_its_offset(migrated: str) -> None:
    one, other = Story(), Story()
    one.command("acct-1", opened("CNY"))
    other.command("acct-1", opened("JPY"))
    other.command("acct-1", isolated("i-1"))
    source = MemorySource(3)
    source.append({2: [*one.values[2], *other.values[2][2:]]})
    with pytest.raises(BrokenLog, match="partition 2 offset 2: InstanceIsolated follows an event"):
        catch_up(migrated, source)


def test_an_unknown_event_stops_the_projector_and_is_not_skipped(migrated: str) -> None:
    story = told()
    source = MemorySource(3)
    source.append({2: [*story.values[2], b"\xc3\x01" + bytes(8) + b"?"]})
    end = len(story.values[2])
    with pytest.raises(BrokenLog, match=f"partition 2 offset {end}: UNKNOWN_SCHEMA"):
        catch_up(migrated, source, max_records=end)
    assert dump(migrated)["checkpoints"][0][3] == end


def test_gaps_in_the_offsets_are_passed_over(migrated: str, source: MemorySource) -> None:
    source.cluster.abort([])
    catch_up(migrated, source)
    assert [row[3] for row in dump(migrated)["checkpoints"]] == list(source.ends())


def test_the_ready_file_is_there_once_all_is_shown(
    migrated: str, source: MemorySource, tmp_path: Path
) -> None:
    ready, stop = tmp_path / "ready", Flag()
    shown: list[bool] = []

    class Watched(OnePass):
        def read(self, *given: Any) -> Mapping[int, Batch]:
            shown.append(ready.exists())
            return super().read(*given)

    projection = Projection(conninfo=migrated, ready_file=ready)
    run(projection, lambda: Watched(source, stop), stop)
    assert shown == [False, True]


def test_a_second_projector_waits_for_the_first_to_end(migrated: str, source: MemorySource) -> None:
    opened_by: list[str] = []
    first_may_end, second_has_tried = Flag(), Flag()
    with psycopg.connect(migrated, autocommit=True) as holder:
        holder.execute(
            "SELECT pg_advisory_lock(hashtextextended('refund-ledger:' || %s, 0))", (CONSUMER,)
        )
        stop = Flag()

        def open_source() -> OnePass:
            opened_by.append("second")
            return OnePass(source, stop)

        def waited(_: float) -> bool:
            second_has_tried.set()
            return first_may_end.wait(WAIT_SECONDS)

        stop.wait = waited  # type: ignore[method-assign, assignment]  # it waits for us, not a second
        second = threading.Thread(
            target=run, args=(Projection(conninfo=migrated), open_source, stop)
        )
        second.start()
        assert second_has_tried.wait(WAIT_SECONDS)
        assert opened_by == []
    first_may_end.set()
    second.join(WAIT_SECONDS)
    assert opened_by == ["second"]
    assert [row[3] for row in dump(migrated)["checkpoints"]] == list(source.ends())


def test_lost_connections_on_either_side_are_waited_out(
    migrated: str, source: MemorySource
) -> None:
    stop = Flag()
    faults: list[str] = ["log", "database"]

    class Faulty(OnePass):
        def read(self, *given: Any) -> Mapping[int, Batch]:
            found = super().read(*given)
            fault = faults.pop() if faults else ""
            if fault == "log":
                raise LogUnavailable("the broker is away")
            if fault == "database":
                _end_projectors(migrated)
            return found

    run(Projection(conninfo=migrated), lambda: Faulty(source, stop), stop)
    assert faults == []
    assert [row[3] for row in dump(migrated)["checkpoints"]] == list(source.ends())


def test_a_backup_restored_beneath_an_idle_projector_is_noticed_without_a_new_event(
    migrated: str, source: MemorySource
) -> None:
    stop, idle = Flag(), 0

    class Quiet(OnePass):
        def read(self, *given: Any) -> Mapping[int, Batch]:
            nonlocal idle
            found = source.read(*given)
            if not found:
                idle += 1
                if idle == 1:  # as a restore does: the connections end, the rows are older
                    _end_projectors(migrated)
                    _empty(migrated)
                elif idle == 20:
                    stop.set()
            return found

    run(Projection(conninfo=migrated), lambda: Quiet(source, stop), stop)
    assert [row[3] for row in dump(migrated)["checkpoints"]] == list(source.ends())


def test_a_checkpoint_begins_at_the_beginning(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        places = checkpoint.load(connection, CONSUMER, "topic-1", (0, 0))
    beginning = {"next_offset": 0, "log_sequence": -1, "last_hash": ZERO_HASH}
    assert places == {p: Checkpoint(partition=p, **beginning) for p in (0, 1)}  # type: ignore[arg-type]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_any_run_of_batch_sizes_gives_the_same_read_models(
    migrated: str, source: MemorySource, sizes: list[int]
) -> None:
    _empty(migrated)
    catch_up(migrated, source)
    whole = dump(migrated)
    _empty(migrated)
    pending = list(sizes)

    class Uneven(OnePass):
        def read(
            self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
        ) -> Mapping[int, Batch]:
            size = pending.pop() if pending else max_records
            return super().read(positions, size, timeout_seconds)

    stop = Flag()
    run(Projection(conninfo=migrated), lambda: Uneven(source, stop), stop)
    assert dump(migrated) == whole


def test_text_that_the_database_cannot_hold_is_shown_and_does_not_stop_it(migrated: str) -> None:
    story = Story()
    story.command("acct-\x00", opened())
    source = MemorySource(3)
    source.append(story.values)
    catch_up(migrated, source)
    assert [row[0] for row in dump(migrated)["accounts"]] == ["acct-\u2400"]


def _end_projectors(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _empty(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("DELETE FROM consumers.checkpoints")
        connection.execute(PASSING_TRIGGERS)
        for view in VIEWS:
            connection.execute(
                sql.SQL("TRUNCATE {}").format(sql.Identifier("read_models", view.TABLE.name))
            )

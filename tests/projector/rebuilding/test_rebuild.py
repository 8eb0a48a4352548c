"""A rebuild gives the very tables that were live, under the eyes of readers, and goes on after any
interruption.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ledger.log.seam import Batch, LogUnavailable
from projector.following.projection import CONSUMER
from projector.migrations import WrongDatabase, finance_views
from projector.progress import Progress
from projector.rebuilding import shadow_tables
from projector.rebuilding.backfill import REBUILDER
from projector.rebuilding.rebuild import RebuildUnderWay, rebuild
from projector.rebuilding.shadow_tables import BESIDE
from projector.reconciling.reconcile import reconcile
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS
from tests.projector.conftest import PASSING_TRIGGERS, catch_up, dump
from tests.projector.stories import MemorySource, Story, opened, told

WAIT_SECONDS = 30.0
REFUNDS = "SELECT * FROM finance.refunds ORDER BY account_id, refund_id"
DRIFTS = {
    "accounts": "in_arrears = true",
    "balances": "cash = cash + 1",
    "instances": "state = 'LOST'",
    "recycle_bin": "restore_until = restore_until + 1",
    "refunds": "working = '[]'",
    "postings": "amount = amount + 1",
    "outcomes": "event_name = 'Nothing'",
}


@pytest.fixture
def source() -> MemorySource:
    """The events topic with the whole story in it."""
    story = told()
    source = MemorySource(story.partition_count)
    source.append(story.values)
    return source


@pytest.fixture
def live(migrated: str, source: MemorySource) -> str:
    """A database whose read models stand at the end of the log."""
    catch_up(migrated, source)
    return migrated


class Interrupted:
    """The same records, until it has been read so many times."""

    def __init__(self, source: MemorySource, reads: int) -> None:
        self.topic_id, self._source, self._reads = source.topic_id, source, reads

    def ends(self) -> tuple[int, ...]:
        return self._source.ends()

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> dict[int, Batch]:
        if not self._reads:
            raise LogUnavailable("the broker is away")
        self._reads -= 1
        return self._source.read(positions, max_records, timeout_seconds)

    def close(self) -> None:
        self._source.close()


def execute(conninfo: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def catalogue(conninfo: str) -> list[tuple[Any, ...]]:
    """Every relation, index, option, comment and right of the read models and of finance."""
    return execute(
        conninfo,
        "SELECT c.oid::regclass::text, c.relkind::text, c.reloptions, c.relacl::text,"
        " obj_description(c.oid, 'pg_class'), CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid)"
        " WHEN 'i' THEN pg_get_indexdef(c.oid) END"
        " FROM pg_class c WHERE relnamespace IN ('read_models'::regnamespace,"
        " 'finance'::regnamespace) ORDER BY 1",
    )


def oids(conninfo: str) -> dict[str, int]:
    return dict(
        execute(
            conninfo,
            "SELECT relname, oid::bigint FROM pg_class"
            " WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r'",
        )
    )


def test_rebuilt_read_models_are_byte_equal_to_the_live_ones(
    live: str, source: MemorySource
) -> None:
    before, stood = dump(live), oids(live)
    found = rebuild(live, source, VIEWS, verify=True)
    assert found.divergences == ()
    assert found.events == sum(source.ends())
    assert found.positions == dict(enumerate(source.ends()))
    assert dump(live) == before
    assert not set(stood.values()) & set(oids(live).values())
    assert reconcile(live, source).divergences == ()


def test_everything_about_the_tables_and_views_is_as_before(
    live: str, source: MemorySource
) -> None:
    execute(live, "GRANT SELECT ON read_models.refunds TO pg_monitor")
    before = catalogue(live)
    rebuild(live, source, VIEWS)
    assert catalogue(live) == before
    assert execute(live, "SELECT nspname FROM pg_namespace WHERE nspname ~ 'read_models_'") == []


def test_the_planner_knows_what_is_in_the_new_tables(live: str, source: MemorySource) -> None:
    rebuild(live, source, VIEWS)
    known = execute(
        live,
        "SELECT relname, reltuples::bigint FROM pg_class"
        " WHERE relnamespace = 'read_models'::regnamespace AND relkind = 'r'",
    )
    rows = dump(live)
    assert dict(known) == {view.TABLE.name: len(rows[view.TABLE.name]) for view in VIEWS}


def test_the_views_people_read_show_the_new_tables(live: str, source: MemorySource) -> None:
    execute(live, "UPDATE read_models.refunds SET rule = 'NONSENSE'")
    rebuild(live, source, VIEWS)
    assert execute(live, "SELECT 1 FROM finance.refunds WHERE rule = 'NONSENSE'") == []
    assert len(execute(live, "SELECT 1 FROM finance.refunds")) > 0


def test_a_view_of_somebody_elses_follows_to_the_new_tables(
    live: str, source: MemorySource
) -> None:
    execute(live, "CREATE VIEW mine AS SELECT rule FROM read_models.refunds WHERE rule LIKE '%E%'")
    execute(live, "UPDATE read_models.refunds SET rule = 'NONSENSE'")
    rebuild(live, source, VIEWS)
    assert execute(live, "SELECT 1 FROM mine WHERE rule = 'NONSENSE'") == []
    assert len(execute(live, "SELECT 1 FROM mine")) > 0


def test_something_that_cannot_follow_is_named_and_nothing_changes(
    live: str, source: MemorySource
) -> None:
    execute(live, "CREATE MATERIALIZED VIEW mine AS SELECT rule FROM read_models.refunds")
    before = oids(live)
    with pytest.raises(WrongDatabase, match="your own objects depend on it: materialized view p"):
        rebuild(live, source, VIEWS)
    assert oids(live) == before


def test_one_view_is_rebuilt_and_the_others_are_left_alone(live: str, source: MemorySource) -> None:
    before, stood = dump(live), oids(live)
    (view,) = (each for each in VIEWS if each.TABLE.name == "refunds")
    rebuild(live, source, [view], verify=True)
    changed = {name for name, oid in oids(live).items() if stood[name] != oid}
    assert changed == {"refunds"}
    assert dump(live) == before


def test_each_view_that_drifted_is_reported_by_its_first_key_and_mended(
    live: str, source: MemorySource
) -> None:
    before = dump(live)
    for view, drift in DRIFTS.items():
        execute(live, f"{PASSING_TRIGGERS}; UPDATE read_models.{view} SET {drift}")
    found = rebuild(live, source, VIEWS, verify=True).divergences or ()
    assert {each.view: [*each.found] for each in found} == {
        view: [drift.split(" = ", maxsplit=1)[0]] for view, drift in DRIFTS.items()
    }
    assert all(each.key == execute(live, first_key(each.view))[0] for each in found)
    assert dump(live) == before


def first_key(view: str) -> str:
    (table,) = (each.TABLE for each in VIEWS if each.TABLE.name == view)
    keys = ", ".join(table.key)
    return f"SELECT {keys} FROM read_models.{view} ORDER BY {keys} LIMIT 1"


def test_a_row_too_few_and_a_row_too_many_are_differences(live: str, source: MemorySource) -> None:
    execute(live, "DELETE FROM read_models.balances WHERE account_id = 'acct-2'")
    execute(
        live,
        "INSERT INTO read_models.instances SELECT 'aaa', instance_id, billing, product, region,"
        " state, ends_at, recorded_at FROM read_models.instances LIMIT 1",
    )
    few, many = rebuild(live, source, VIEWS, verify=True).divergences or ()
    assert (few.view, few.key, few.found) == ("balances", ("acct-2",), {})
    assert (many.view, many.key[0], many.expected) == ("instances", "aaa", {})


def test_a_rebuild_goes_on_where_an_interrupted_one_left_off(
    live: str, source: MemorySource
) -> None:
    before = dump(live)
    for reads in (0, 1, 5, 11):
        with pytest.raises(LogUnavailable, match="the broker is away"):
            rebuild(live, Interrupted(source, reads), VIEWS, max_records=2)
        left = execute(
            live,
            "SELECT coalesce(sum(next_offset), 0)::int FROM consumers.checkpoints"
            f" WHERE consumer = '{REBUILDER}'",
        )[0][0]
        assert left == min(2 * reads, sum(source.ends()))
        told_first: list[Progress] = []
        found = rebuild(live, source, VIEWS, told_first.append, verify=True)
        assert told_first[0].resumed
        assert (told_first[0].done, found.events) == (left, sum(source.ends()) - left)
        assert found.divergences == ()
        assert dump(live) == before


def test_tables_left_by_other_code_are_not_gone_on_with(live: str, source: MemorySource) -> None:
    with pytest.raises(LogUnavailable):
        rebuild(live, Interrupted(source, 3), VIEWS, max_records=2)
    execute(live, f"COMMENT ON SCHEMA {BESIDE} IS 'by older code'")
    execute(live, f"UPDATE {BESIDE}.accounts SET currency = 'XXX'")
    found = rebuild(live, source, VIEWS, verify=True)
    assert found.events == sum(source.ends())
    assert found.divergences == ()


def test_a_projector_behind_the_log_is_met_where_it_stands(migrated: str) -> None:
    values = told().values
    half = MemorySource(3)
    half.append({p: each[: len(each) // 2] for p, each in values.items()})
    catch_up(migrated, half)
    whole = MemorySource(3)
    whole.append(values)
    found = rebuild(migrated, whole, VIEWS, verify=True)
    assert found.positions == dict(enumerate(half.ends()))
    assert found.divergences == ()
    catch_up(migrated, whole)
    assert reconcile(migrated, whole).divergences == ()


def test_a_projector_that_moves_on_meanwhile_is_met_further_on(migrated: str) -> None:
    story = Story()
    story.command("acct-1", opened())
    source = MemorySource(3)
    source.append(story.values)
    catch_up(migrated, source)
    known = {partition: len(values) for partition, values in story.values.items()}

    def go_on(progress: Progress) -> None:
        if progress.done and not story_told[0]:
            story_told[0] = True
            story.command("acct-2", opened("JPY"))
            source.append({p: values[known[p] :] for p, values in story.values.items()})
            catch_up(migrated, source)

    story_told = [False]
    found = rebuild(migrated, source, VIEWS, go_on, verify=True)
    assert story_told == [True]
    assert found.positions == dict(enumerate(source.ends()))
    assert found.divergences == ()
    assert [row[0] for row in dump(migrated)["accounts"]] == ["acct-1", "acct-2"]


def test_two_rebuilds_at_once_are_refused(live: str, source: MemorySource) -> None:
    def again(_: Progress) -> None:
        with pytest.raises(RebuildUnderWay):
            rebuild(live, source, VIEWS)
        asked.append(True)

    asked: list[bool] = []
    rebuild(live, source, VIEWS, again)
    assert asked


def test_a_reader_is_served_at_every_step_and_the_swap_waits_for_one_before_it(
    live: str, source: MemorySource
) -> None:
    seen: list[int] = []
    filled, may_end = threading.Event(), threading.Event()

    def read_meanwhile(progress: Progress) -> None:
        with psycopg.connect(live, options="-c lock_timeout=5s") as reader:
            seen.append(reader.execute("SELECT FROM finance.refunds").rowcount)
        if progress.done == progress.total:
            filled.set()

    with psycopg.connect(live) as long_reader:
        before = long_reader.execute(REFUNDS).fetchall()
        worker = threading.Thread(target=rebuild, args=(live, source, VIEWS, read_meanwhile))
        worker.start()
        assert filled.wait(WAIT_SECONDS)
        for _ in range(20):
            with psycopg.connect(live, options="-c lock_timeout=5s") as reader:
                assert reader.execute("SELECT FROM finance.refunds").rowcount == len(before)
        assert long_reader.execute(REFUNDS).fetchall() == before
        assert worker.is_alive(), "it swapped the tables under a reader"
        may_end.set()
    worker.join(WAIT_SECONDS)
    assert not worker.is_alive()
    assert set(seen) == {len(before)}
    assert reconcile(live, source).divergences == ()


def test_a_view_that_a_newer_program_brings_is_filled_by_the_projector(
    live: str, source: MemorySource
) -> None:
    before = dump(live)
    execute(live, "TRUNCATE read_models.refunds; TRUNCATE read_models.instances")
    execute(live, "DELETE FROM consumers.filled_views WHERE view = 'refunds'")
    execute(live, "UPDATE consumers.filled_views SET definition = 'x' WHERE view = 'instances'")
    catch_up(live, source)
    assert dump(live) == before


def test_views_are_known_to_be_filled_from_the_first_start_on(live: str) -> None:
    known = {view for (view,) in execute(live, "SELECT view FROM consumers.filled_views")}
    assert known == {view.TABLE.name for view in VIEWS}


def test_a_projector_that_stands_on_other_events_is_refused(
    live: str, source: MemorySource
) -> None:
    execute(live, f"UPDATE consumers.checkpoints SET last_hash = '' WHERE consumer = '{CONSUMER}'")
    before = oids(live)
    with pytest.raises(WrongDatabase, match="checkpoints name other events than the log has"):
        rebuild(live, source, VIEWS)
    assert oids(live) == before


def test_every_table_of_the_read_models_can_be_made_beside(live: str) -> None:
    names = sorted(oids(live))
    assert names == sorted(view.TABLE.name for view in VIEWS)
    with psycopg.connect(live) as connection:
        shadow_tables.make(connection, names, "a test's")
        for name in names:
            statement = sql.SQL("SELECT * FROM {} EXCEPT SELECT * FROM {}")
            left = sql.Identifier(BESIDE, name)
            connection.execute(statement.format(left, sql.Identifier(READ_MODELS, name)))


def test_views_are_the_only_thing_that_stands_on_the_tables() -> None:
    assert "MATERIALIZED VIEW" not in " ".join(finance_views().split())

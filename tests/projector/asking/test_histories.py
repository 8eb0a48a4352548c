"""An account's events read back from the read models add up to what the log's add up to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import Connection

from ledger.eligibility import Asking, eligible
from ledger.log.seam import FAR, Topic
from ledger.state import MemoryState, evolve
from ledger.state.entities import Entity, SeenCommand
from ledger.state.reading import Key
from ledger.values.instants import DAY
from ledger.vocabulary.envelope import FIRST_EDITION, ZERO_HASH, RecordedEvent
from ledger.wire.avro.codec import decode_event
from projector.asking.histories import READ, Story, history, story
from projector.asking.queries import NoReadModels, UnknownAccount
from tests.consumers.deadlines.test_keeper import nodes
from tests.projector.conftest import PASSING_TRIGGERS, catch_up
from tests.projector.mixed import mixed
from tests.projector.reconciling.test_any_sequence import any_sequence, as_a_log
from tests.projector.shown import of_account, show
from tests.projector.stories import MemorySource
from tests.projector.views.test_settlement_flows import FLOWS
from tests.properties.world import ACCOUNTS
from tests.releases.logs import records_of


@pytest.mark.parametrize("seed", [1, 2])
def test_what_may_be_done_is_the_same_from_the_read_models_after_any_sequence(
    migrated: str, seed: int
) -> None:
    world = any_sequence(seed)
    catch_up(migrated, as_a_log(world))
    asking = Asking(now=world.s.now, terms=world.s.terms.at(world.s.now), usd_rate="0.137")
    with psycopg.connect(migrated, autocommit=True) as connection:
        for account in ACCOUNTS:
            shown = MemoryState()
            for event in history(connection, account).events:
                shown.apply(evolve(shown, event))
            found = eligible(shown, account, asking)
            assert len(found) > 3
            assert found == eligible(world.s.state, account, asking)


def test_what_release_0_1_0_wrote_is_folded_by_its_own_edition(migrated: str) -> None:
    values = [each.value for each in records_of("0.1.0")[Topic.EVENTS] if each.value]
    source = MemorySource(1)
    source.append({0: values})
    catch_up(migrated, source)
    events = [event for event in map(decode_event, values) if event.meta.account_id]
    with psycopg.connect(migrated, autocommit=True) as connection:
        for account, own in accounts(events).items():
            found = history(connection, account).events
            assert {event.meta.edition for event in found} == {FIRST_EDITION}
            assert folded(list(found)) == folded(own)


@pytest.fixture
def stories(migrated: str) -> list[RecordedEvent]:
    """Accounts of every kind, shown."""
    flows = [of_account(flow(), f"acct-f{number}") for number, flow in enumerate(FLOWS)]
    return show(migrated, [*mixed(3), *flows])


@pytest.fixture
def shown(migrated: str, stories: list[RecordedEvent]) -> Iterator[Connection[Any]]:
    """A connection to their read models."""
    with psycopg.connect(migrated, autocommit=True) as connection:
        yield connection


def accounts(stories: list[RecordedEvent]) -> dict[str, list[RecordedEvent]]:
    found: dict[str, list[RecordedEvent]] = {}
    for event in stories:
        found.setdefault(event.meta.account_id, []).append(event)
    return found


def folded(events: list[RecordedEvent]) -> dict[Key, Entity]:
    """What they add up to; what proves a command's content is not in the read models."""
    state = MemoryState()
    for event in events:
        state.apply(evolve(state, event))
    return {key: one for key, one in state.entities().items() if key.kind is not SeenCommand}


def test_each_event_comes_back_as_it_was(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    for account, events in accounts(stories).items():
        found = history(shown, account).events
        assert [event.body for event in found] == [event.body for event in events]
        for one, other in zip(found, events, strict=True):
            same = replace(
                other.meta, source_offset=-1, prev_hash=ZERO_HASH, command_digest=ZERO_HASH
            )
            assert one.meta == same
        assert folded(list(found)) == folded(events)


def test_it_says_how_far_the_read_models_are_and_when_it_is(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    last = max(event.meta.recorded_at for event in stories)
    for account, events in accounts(stories).items():
        found, meta = history(shown, account), events[-1].meta
        assert (found.partition, found.log_sequence) == (meta.source_partition, meta.log_sequence)
        assert (found.recorded_at, found.now) == (meta.recorded_at, last + 1)


def test_the_present_is_never_before_what_was_recorded(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    shown.execute("UPDATE consumers.sandbox_clock SET now_at = now_at - %s", (4000 * DAY,))
    account, events = next(iter(accounts(stories).items()))
    assert history(shown, account).now == events[-1].meta.recorded_at


def test_a_command_of_which_a_part_is_shown_counts_as_not_decided(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    account, events = next(
        (account, events)
        for account, events in accounts(stories).items()
        if any(event.meta.count > 1 for event in events)
    )
    place, first = next((n, e) for n, e in enumerate(events) if e.meta.count > 1)
    shown.execute(PASSING_TRIGGERS)
    shown.execute(
        "DELETE FROM read_models.outcomes WHERE account_id = %s AND sequence > %s",
        (account, first.meta.sequence),
    )
    _stands_at(shown, first.meta.source_partition, first.meta.log_sequence)
    assert len(history(shown, account).events) == place
    assert story(shown, account, first.meta.causation_id) == Story(own=(), caused=())


def _stands_at(shown: Connection[Any], partition: int, log_sequence: int) -> None:
    shown.execute(
        "UPDATE consumers.checkpoints SET log_sequence = %s WHERE partition = %s",
        (log_sequence, partition),
    )


def test_a_story_is_a_commands_own_events_and_what_they_caused(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    account, events = next((a, e) for a, e in accounts(stories).items() if len(of_command(e)) > 2)
    (first, own), *between, (last, after) = of_command(events).items()
    shown.execute(PASSING_TRIGGERS)
    shown.execute(
        "UPDATE read_models.outcomes SET correlation_id = %s WHERE (account_id, command_id)"
        " = (%s, %s)",
        (first, account, last),
    )
    found = story(shown, account, first)
    assert [event.body for event in found.own] == [event.body for event in own]
    assert [event.body for event in found.caused] == [event.body for event in after]
    for command, of_between in between:
        alone = story(shown, account, command)
        assert [event.body for event in alone.own] == [event.body for event in of_between]
        assert alone.caused == ()
    assert story(shown, "acct-none", "none") == Story(own=(), caused=())


def of_command(events: list[RecordedEvent]) -> dict[str, list[RecordedEvent]]:
    found: dict[str, list[RecordedEvent]] = {}
    for event in events:
        found.setdefault(event.meta.causation_id, []).append(event)
    return found


def test_what_is_not_filled_yet_is_not_answered_from(
    shown: Connection[Any], stories: list[RecordedEvent]
) -> None:
    account = stories[0].meta.account_id
    shown.execute(PASSING_TRIGGERS)
    shown.execute(
        "DELETE FROM read_models.outcomes WHERE account_id = %s AND sequence = 2", (account,)
    )
    with pytest.raises(NoReadModels, match="do not have all of its events yet"):
        history(shown, account)


def test_what_nobody_has_filled_is_told_apart_from_what_nobody_knows(
    shown: Connection[Any], database: str
) -> None:
    with pytest.raises(UnknownAccount, match="account acct-none: the read models have none"):
        history(shown, "acct-none")


def test_a_database_without_read_models_is_named(database: str) -> None:
    with (
        psycopg.connect(database, autocommit=True) as connection,
        pytest.raises(NoReadModels, match="has no read models yet"),
    ):
        history(connection, "acct-1")


def test_only_the_events_of_the_account_are_read_by_its_index(shown: Connection[Any]) -> None:
    shown.execute("ANALYZE read_models.outcomes")
    row = shown.execute(f"EXPLAIN (FORMAT JSON) {READ}".encode(), ("acct-f0", 1, FAR)).fetchone()
    assert row is not None
    scans = [each for each in nodes(row[0][0]["Plan"]) if "Scan" in each["Node Type"]]
    assert {each.get("Index Name") for each in scans} <= {
        "outcomes_of_accounts",
        "outcomes_command",
        None,
    }
    assert all("account_id" in str(each) for each in scans)
    assert not [each for each in scans if each["Node Type"] == "Seq Scan"]

"""Stories of single accounts, decided by the rules, shown in the read models of a real database."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from msgspec.structs import replace

from ledger.terms.table import TermsTable, released_terms
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import ZERO_HASH, RecordedEvent
from projector.following import checkpoint
from projector.following.checkpoint import Checkpoint
from projector.following.projection import CONSUMER
from projector.following.terms_shown import show_terms
from projector.rows.changes import fold
from projector.rows.writer import write
from projector.views import VIEWS
from tests.scenario import Scenario


def apart(stories: Sequence[Scenario]) -> list[RecordedEvent]:
    """Their events, each story in a partition of its own."""
    return [
        replace(event, meta=replace(event.meta, source_partition=partition))
        for partition, story in enumerate(stories)
        for event in story.recorded
    ]


def of_account(story: Scenario, account: str) -> Scenario:
    """The story as if it were another account's."""
    story.account = account
    story.recorded = [
        replace(event, meta=replace(event.meta, account_id=account)) for event in story.recorded
    ]
    return story


def show(
    conninfo: str,
    stories: Sequence[Scenario],
    *,
    now: Instant | None = None,
    terms: TermsTable | None = None,
) -> list[RecordedEvent]:
    """Fold the stories into the tables of a migrated database; every one of their events.

    The present is `now`, as a sandbox's, and everything before it is reached.
    """
    events = apart(stories)
    present = max(event.meta.recorded_at for event in events) + 1 if now is None else now
    changes = fold(change for event in events for view in VIEWS for change in view.changes(event))
    with psycopg.connect(conninfo) as connection:
        show_terms(connection, released_terms() if terms is None else terms)
        write(connection, changes)
        checkpoint.save(connection, CONSUMER, "topic-1", map(_place, enumerate(stories)))
        connection.execute("INSERT INTO consumers.sandbox_clock VALUES (true, %s)", (present,))
        connection.execute("INSERT INTO consumers.horizons VALUES (%s, %s)", (CONSUMER, present))
    return events


def _place(numbered: tuple[int, Scenario]) -> Checkpoint:
    partition, story = numbered
    last = story.recorded[-1].meta.log_sequence
    return Checkpoint(
        partition=partition, next_offset=last + 1, log_sequence=last, last_hash=ZERO_HASH
    )

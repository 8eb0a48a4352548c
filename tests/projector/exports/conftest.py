"""A ledger whose read models the exports of a module are taken from."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from devstack import Services
from ledger.terms.table import released_terms
from ledger.values.instants import Instant
from projector.following.projection import CONSUMER
from projector.following.terms_shown import show_terms
from projector.migrations import migrate
from tests import services as real
from tests.projector.conftest import catch_up
from tests.projector.stories import (
    MemorySource,
    Story,
    corrected,
    credited,
    issued,
    opened,
    settled,
    told,
)

HOSTILE = '=HYPERLINK("x")'
HUGE = 12_345_678_901_234_567


def story_told() -> Story:
    """The story, a refund of more digits than a spreadsheet keeps, an account like a formula."""
    story = told()
    story.command("acct-2", issued("r-huge", "i-1", HUGE, 0, "JPY"))
    story.command("acct-2", credited("r-huge", HUGE, 0, "JPY"), settled("r-huge", "JPY"))
    story.command("acct-1", issued("r-9", "i-2", 5_000, 2_001))
    story.command("acct-1", credited("r-9", 5_000, 2_001))
    story.command("acct-1", corrected("r-9", 5_000, 2_001))
    story.command(HOSTILE, opened("CNY"))
    return story


def show(conninfo: str, story: Story, known: dict[int, int] | None, source: MemorySource) -> None:
    """Bring the read models to the end of the story; every instant until then is complete."""
    known = known or {}
    source.append({p: values[known.get(p, 0) :] for p, values in story.values.items()})
    catch_up(conninfo, source)
    stand_at(conninfo, story.now + 1)


def stand_at(conninfo: str, present: Instant) -> None:
    """Let a sandbox's clock stand there, with everything before it shown."""
    with psycopg.connect(conninfo) as connection:
        show_terms(connection, released_terms())
        connection.execute("DELETE FROM consumers.sandbox_clock")
        connection.execute("INSERT INTO consumers.sandbox_clock VALUES (true, %s)", (present,))
        connection.execute("DELETE FROM consumers.horizons")
        connection.execute("INSERT INTO consumers.horizons VALUES (%s, %s)", (CONSUMER, present))


@pytest.fixture(scope="module")
def shown(services: Services) -> Iterator[str]:
    """The conninfo of a database that shows the story; the tests of a module only read it."""
    with real.fresh_database(services.database_url) as url:
        migrate(url)
        story = story_told()
        show(url, story, None, MemorySource(story.partition_count))
        yield url

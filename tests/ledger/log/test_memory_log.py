"""What only the log in memory offers: a commit whose reply is lost."""

from __future__ import annotations

import pytest

from ledger.log.seam import CommitResult, Topic
from tests.ledger.log.worlds import MemoryWorld, commit, event


@pytest.mark.parametrize("applied", [True, False])
def test_after_a_lost_reply_the_commit_may_have_happened_or_not(applied: bool) -> None:
    world = MemoryWorld()
    log = world.consumer("decider", Topic.COMMANDS)
    log.fence(0)
    world.tools.lose_next_reply(applied=applied)
    assert commit(log, 0, [event(b"a")], 1, "") is CommitResult.UNKNOWN
    assert (log.committed(0) is not None) is applied
    assert log.high_watermark(Topic.EVENTS, 0) == (2 if applied else 0)

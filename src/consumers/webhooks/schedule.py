"""When a failed delivery is tried again, and when it is dead. Pure."""

from __future__ import annotations

from ledger.values.instants import DAY, MINUTE, SECOND, Instant

FIRST, LONGEST = 5 * SECOND, 10 * MINUTE
SPREAD = 0.2
"""A delay is up to so much shorter or longer, so that not all come again at once."""
PATIENCE = 5
"""When so many accounts of a hook fail and none succeeds, its receiver is taken to be away: the
hook rests, and one account at a time is tried.
"""
SHORTEST_REST, LONGEST_REST = 5 * SECOND, MINUTE
DEAD_AFTER = DAY


def delay(failures: int, chance: float, asked: Instant | None = None) -> Instant:
    """How long to wait after so many failures in a row, at least as long as the receiver asked.

    5 s, 10 s, 20 s and so on, at most 10 minutes; `chance` is drawn from 0 to 1. A receiver can ask
    for a day at most. With a chance of 0.5 the third failure waits 20 s; of 0, 16 s.
    """
    usual = min(FIRST << min(failures - 1, 16), LONGEST)
    spread = round(usual * (1 - SPREAD + 2 * SPREAD * chance))
    return max(spread, min(asked or 0, DAY))


def dead(failing_since: Instant, now: Instant) -> bool:
    """Whether a delivery that has failed since then is tried no more."""
    return now - failing_since >= DEAD_AFTER


def rest(failing_since: Instant, now: Instant) -> Instant:
    """How long a hook rests whose receiver is away: an eighth of the time that it has been away,
    at least 5 s and at most a minute.
    """
    return max(SHORTEST_REST, min((now - failing_since) // 8, LONGEST_REST))

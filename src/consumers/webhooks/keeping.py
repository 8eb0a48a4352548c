"""What people do with webhooks: add, look at, pause, end, rotate their secrets, send again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from consumers.webhooks.bodies import test_body, webhook_id
from consumers.webhooks.hooks import MOST_HOOKS, NO_ACCOUNT, Secret
from consumers.webhooks.signing import SECRET_BYTES
from consumers.webhooks.table import BEGINS_ANEW, EMPTIED, END, LOCK
from ledger.values.instants import Instant
from ledger.values.wording import worded

Wrap = Callable[[str, int, bytes], Secret]
"""A hook's id, the secret's number and bytes → what is stored."""
_ADD = "INSERT INTO webhooks.hooks (id, url, events, starts) VALUES (%s, %s, %s, %s)"
_COUNT = "SELECT count(*) FROM webhooks.hooks WHERE ended_at IS NULL"
_SIGNS = "INSERT INTO webhooks.secrets VALUES (%s, %s, %s, %s)"
_ALL = """
SELECT id AS hook_id, url, events, made_at, ended_at, ended_why, paused_at, sent, last_sent_at,
    rests_until, secret_number, previous_until,
    count(account_id) FILTER (WHERE state = 'WAITING') AS waiting,
    min(waits_since) FILTER (WHERE state = 'WAITING') AS waits_since,
    count(account_id) FILTER (WHERE state = 'DEAD') AS dead,
    min(queue.failing_since) FILTER (WHERE state = 'DEAD') AS dead_since,
    (array_agg(said ORDER BY queue.failing_since DESC) FILTER (WHERE queue.failures > 0))[1] AS said
FROM webhooks.hooks LEFT JOIN webhooks.queues AS queue ON hook_id = id
WHERE id = %(id)s OR %(id)s IS NULL GROUP BY id ORDER BY made_at, id
"""
_TROUBLES = """
SELECT account_id, state, failures, failing_since, due_at, said FROM webhooks.queues
WHERE hook_id = %s AND failures > 0 ORDER BY state, failing_since, account_id LIMIT %s
"""
_NEXT = """
UPDATE webhooks.hooks SET secret_number = secret_number + 1, previous_until = now() + %s
WHERE id = %s AND ended_at IS NULL RETURNING secret_number, previous_until
"""
_AGAIN = """
UPDATE webhooks.queues SET state = 'WAITING', due_at = %(now)s, waits_since = %(now)s,
    failures = 0, failing_since = NULL
WHERE hook_id = %(hook)s AND (account_id = %(account)s OR (%(account)s IS NULL AND state = 'DEAD'))
"""
_PAUSE = """
UPDATE webhooks.hooks SET paused_at = now()
WHERE id = %s AND ended_at IS NULL AND paused_at IS NULL
"""
_RESUME = """
UPDATE webhooks.hooks SET paused_at = NULL
WHERE id = %s AND ended_at IS NULL AND paused_at IS NOT NULL
"""
_ANEW = """
UPDATE webhooks.queues SET due_at = %(now)s, waits_since = %(now)s, failures = 0,
    failing_since = NULL WHERE hook_id = %(hook)s AND state = 'WAITING'
"""
_TEST_QUEUE = """
INSERT INTO webhooks.queues (hook_id, account_id, due_at, waits_since)
SELECT id, %(account)s, %(now)s, %(now)s FROM webhooks.hooks
WHERE id = %(hook)s AND ended_at IS NULL ON CONFLICT (hook_id, account_id) DO NOTHING
"""
_TEST = "INSERT INTO webhooks.deliveries VALUES (%s, %s, %s, %s, %s)"
_SKIP = """
DELETE FROM webhooks.deliveries WHERE hook_id = %(hook)s AND account_id = %(account)s
    AND log_offset = (SELECT min(log_offset) FROM webhooks.deliveries
        WHERE hook_id = %(hook)s AND account_id = %(account)s)
    AND EXISTS (SELECT FROM webhooks.queues WHERE hook_id = %(hook)s AND account_id = %(account)s
        AND state = 'DEAD')
RETURNING webhook_id
"""


class Shown(Struct, frozen=True, kw_only=True):
    """A hook as it is shown; `waiting` and `dead` count accounts, and since when the first of them
    is that. `said` is what was answered to, or found with, the account that failed last.
    """

    hook_id: str
    url: str
    events: list[str]
    made_at: datetime
    ended_at: datetime | None
    ended_why: str | None
    paused_at: datetime | None
    sent: int
    last_sent_at: Instant | None
    rests_until: Instant | None
    secret_number: int
    previous_until: datetime | None
    waiting: int
    waits_since: Instant | None
    dead: int
    dead_since: Instant | None
    said: str | None

    @property
    def state(self) -> str:
        """In a word: ended, paused, away (its receiver takes nothing), or active."""
        if self.ended_at is not None:
            return "ended"
        if self.paused_at is not None:
            return "paused"
        return "away" if self.rests_until is not None else "active"


class Trouble(Struct, frozen=True, kw_only=True):
    """An account of which a hook's receiver does not take the next event."""

    account_id: str
    state: str
    failures: int
    failing_since: Instant | None
    due_at: Instant
    said: str | None


class TooMany(Exception):
    """There are as many hooks as there may be."""


def add(
    connection: Connection[Any],
    url: str,
    events: Sequence[str],
    ends: Callable[[], Sequence[int]],
    wrap: Wrap,
) -> tuple[str, bytes]:
    """A new hook's id and secret. It is told of every event that is recorded from now on: `ends`
    is asked while no position can move. Raises TooMany.
    """
    hook_id, secret = f"hook_{os.urandom(6).hex()}", os.urandom(SECRET_BYTES)
    with connection.transaction():
        connection.execute(LOCK)
        row = connection.execute(_COUNT).fetchone()
        if row is None or row[0] >= MOST_HOOKS:
            raise TooMany(
                worded(
                    "there are {count} webhooks, and no more are possible; end one",
                    count=MOST_HOOKS,
                )
            )
        connection.execute(_ADD, (hook_id, url, list(events), list(ends())))
        _put_secret(connection, hook_id, wrap(hook_id, 1, secret))
    return hook_id, secret


def shown(connection: Connection[Any], hook_id: str | None = None) -> list[Shown]:
    """Every hook, or one: also those that have ended."""
    with connection.cursor(row_factory=class_row(Shown)) as cursor:
        return cursor.execute(_ALL, {"id": hook_id}).fetchall()


def troubles(connection: Connection[Any], hook_id: str, most: int) -> list[Trouble]:
    """The accounts of a hook whose next event was not taken: dead ones first."""
    with connection.cursor(row_factory=class_row(Trouble)) as cursor:
        return cursor.execute(_TROUBLES, (hook_id, most)).fetchall()


def end(connection: Connection[Any], hook_id: str, why: str) -> bool:
    """Send it nothing more; False if there is none. What waits is deleted by the process."""
    return bool(connection.execute(END, (why, hook_id)).rowcount)


def pause(connection: Connection[Any], hook_id: str) -> bool:
    """Send it nothing until it goes on, save for the requests under way; what is recorded waits.
    False if there is none, or it is paused already.
    """
    return bool(connection.execute(_PAUSE, (hook_id,)).rowcount)


def resume(connection: Connection[Any], hook_id: str, now: Instant) -> bool:
    """Go on with a paused hook: what failed before counts no more. False if it is not paused."""
    with connection.transaction():
        if not connection.execute(_RESUME, (hook_id,)).rowcount:
            return False
        connection.execute(_ANEW, {"hook": hook_id, "now": now})
        connection.execute(BEGINS_ANEW, (hook_id,))
    return True


def test(connection: Connection[Any], hook_id: str, now: Instant) -> str | None:
    """Have a test delivery sent as events are, in a queue of its own; its webhook id. None if there
    is no such hook, or its last test is still to be taken.
    """
    queue = {"hook": hook_id, "account": NO_ACCOUNT, "now": now}
    told = webhook_id(hook_id, f"test {now}")
    with connection.transaction():
        if not connection.execute(_TEST_QUEUE, queue).rowcount:
            return None
        body = test_body(hook_id, now)
        connection.execute(_TEST, (hook_id, NO_ACCOUNT, now, told, body))
    return told


def rotate(
    connection: Connection[Any], hook_id: str, keep: timedelta, wrap: Wrap
) -> tuple[bytes, datetime] | None:
    """A new secret, and until when the previous one signs too; None if there is no such hook."""
    secret = os.urandom(SECRET_BYTES)
    with connection.transaction():
        row = connection.execute(_NEXT, (keep, hook_id)).fetchone()
        if row is None:
            return None
        _put_secret(connection, hook_id, wrap(hook_id, row[0], secret))
    return secret, row[1]


def redrive(connection: Connection[Any], hook_id: str, account_id: str | None, now: Instant) -> int:
    """Send again, now, what is dead, or what waits of one account; how many accounts."""
    with connection.transaction():
        asked = {"hook": hook_id, "account": account_id, "now": now}
        found = connection.execute(_AGAIN, asked).rowcount
        if found:
            connection.execute(BEGINS_ANEW, (hook_id,))
    return found


def skip(connection: Connection[Any], hook_id: str, account_id: str) -> str | None:
    """Give up the first delivery of an account that is dead; its webhook id, or None."""
    asked = {"hook": hook_id, "account": account_id}
    with connection.transaction():
        connection.execute(LOCK)
        row = connection.execute(_SKIP, asked).fetchone()
        connection.execute(EMPTIED, asked)
    return None if row is None else str(row[0])


def _put_secret(connection: Connection[Any], hook_id: str, secret: Secret) -> None:
    connection.execute(_SIGNS, (hook_id, secret.number, secret.stored, secret.wrapped))

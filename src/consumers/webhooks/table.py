"""The webhooks in PostgreSQL: the hooks, and what waits for each of their accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from psycopg import Connection

from consumers import positions
from consumers.positions import Position
from consumers.webhooks.hooks import CONSUMER, Hook, Secret
from consumers.webhooks.schedule import PATIENCE, dead, delay, rest
from consumers.webhooks.sending import Delivery, Run, RunEnd
from ledger.log.failpoints import passing
from ledger.values.instants import Instant

RUN = 16
RUN_BYTES = 262_144
"""A run has so many deliveries at most, and so many bytes beyond the first one."""
SLICE = 10_000

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('refund-ledger:webhooks:hooks', 0))"
"""Held while positions move, and while a hook is added: it begins exactly there."""
_HOOKS = """
SELECT hook.id, hook.url, hook.events, hook.starts, coalesce((
        SELECT jsonb_agg(jsonb_build_array(number, encode(secret, 'hex'), wrapped)
            ORDER BY number DESC)
        FROM webhooks.secrets WHERE hook_id = hook.id AND (number = hook.secret_number
            OR (number = hook.secret_number - 1 AND now() < hook.previous_until))), '[]')
FROM webhooks.hooks AS hook WHERE hook.ended_at IS NULL ORDER BY hook.id
"""
_ACTIVE = "SELECT id, url, events, starts FROM webhooks.hooks WHERE ended_at IS NULL ORDER BY id"
_PUT_QUEUES = """
INSERT INTO webhooks.queues (hook_id, account_id, due_at, waits_since)
SELECT DISTINCT hook_id, account_id, %(now)s::bigint, %(now)s::bigint
FROM unnest(%(hooks)s::text[], %(accounts)s::text[]) AS told (hook_id, account_id)
ON CONFLICT (hook_id, account_id) DO NOTHING
"""
_PUT = """
INSERT INTO webhooks.deliveries (hook_id, account_id, log_offset, webhook_id, body)
SELECT * FROM unnest(%(hooks)s::text[], %(accounts)s::text[], %(offsets)s::bigint[],
    %(ids)s::text[], %(bodies)s::bytea[])
"""
_BUSY = """
SELECT hook.id, hook.failures FROM webhooks.hooks AS hook
CROSS JOIN LATERAL (
    SELECT least(
        (SELECT min(due_at) FROM webhooks.queues
         WHERE hook_id = hook.id AND state = 'WAITING' AND failures = 0),
        (SELECT min(due_at) FROM webhooks.queues
         WHERE hook_id = hook.id AND state = 'WAITING' AND failures > 0)) AS due_at) AS first
WHERE hook.ended_at IS NULL AND hook.paused_at IS NULL
    AND (hook.rests_until IS NULL OR hook.rests_until <= %(now)s)
    AND first.due_at <= %(now)s
"""
"""Each minimum is one step in a partial index; an EXISTS would be a join over all queues."""
_RUNS = """
SELECT queue.account_id, next.log_offset, next.webhook_id, next.body FROM (
    SELECT account_id, due_at FROM webhooks.queues
    WHERE hook_id = %(hook)s AND state = 'WAITING' AND {which} AND due_at <= %(now)s
        AND account_id <> ALL(%(not)s)
    ORDER BY due_at LIMIT %(limit)s) AS queue
CROSS JOIN LATERAL (
    SELECT log_offset, webhook_id, body,
        sum(octet_length(body)) OVER (ORDER BY log_offset) - octet_length(body) AS before
    FROM (SELECT * FROM webhooks.deliveries
        WHERE hook_id = %(hook)s AND account_id = queue.account_id
        ORDER BY log_offset LIMIT %(run)s) AS first) AS next
WHERE next.before = 0 OR next.before < %(bytes)s
ORDER BY queue.due_at, queue.account_id, next.log_offset
"""
_FRESH, _FAILING = (_RUNS.format(which=which) for which in ("failures = 0", "failures > 0"))
"""Literals, so that each query can use its partial index."""
_DELIVERED = """
DELETE FROM webhooks.deliveries
WHERE hook_id = %s AND account_id = %s AND log_offset <= %s
"""
EMPTIED = """
DELETE FROM webhooks.queues WHERE hook_id = %(hook)s AND account_id = %(account)s
    AND NOT EXISTS (SELECT FROM webhooks.deliveries
        WHERE hook_id = %(hook)s AND account_id = %(account)s)
"""
_GO_ON = """
UPDATE webhooks.queues SET state = 'WAITING', due_at = %(now)s, waits_since = %(now)s,
    failures = 0, failing_since = NULL, said = NULL
WHERE hook_id = %(hook)s AND account_id = %(account)s
"""
_AGAIN = """
UPDATE webhooks.queues SET failures = failures + 1,
    failing_since = coalesce(failing_since, %(now)s), said = %(said)s
WHERE hook_id = %(hook)s AND account_id = %(account)s
RETURNING failures, failing_since
"""
_LATER = """
UPDATE webhooks.queues SET due_at = %s, state = %s WHERE hook_id = %s AND account_id = %s
"""
_HOOK_SENT = """
UPDATE webhooks.hooks SET sent = sent + %s, last_sent_at = %s, failures = 0, failing_since = NULL,
    rests_until = NULL
WHERE id = %s
"""
_HOOK_FAILED = """
UPDATE webhooks.hooks SET failures = failures + %s,
    failing_since = coalesce(failing_since, %s) WHERE id = %s RETURNING failures, failing_since
"""
_HOOK_RESTS = "UPDATE webhooks.hooks SET rests_until = %s WHERE id = %s"
_ALL_DEAD = "UPDATE webhooks.queues SET state = 'DEAD' WHERE hook_id = %s AND state = 'WAITING'"
BEGINS_ANEW = """
UPDATE webhooks.hooks SET failures = 0, failing_since = NULL, rests_until = NULL WHERE id = %s
"""
END = """
UPDATE webhooks.hooks SET ended_at = now(), ended_why = %s WHERE id = %s AND ended_at IS NULL
"""
_LEFT_OVER = """
SELECT id FROM webhooks.hooks AS hook WHERE ended_at IS NOT NULL
    AND (EXISTS (SELECT FROM webhooks.queues WHERE hook_id = hook.id)
        OR EXISTS (SELECT FROM webhooks.secrets WHERE hook_id = hook.id))
LIMIT 1
"""
_OLD_SECRETS = """
DELETE FROM webhooks.secrets AS secret USING webhooks.hooks AS hook
WHERE hook.id = secret.hook_id AND (secret.number < hook.secret_number - 1
    OR (secret.number < hook.secret_number AND hook.previous_until <= now()))
"""
_SWEEP = """
DELETE FROM webhooks.deliveries WHERE (hook_id, account_id, log_offset) IN (
    SELECT hook_id, account_id, log_offset FROM webhooks.deliveries WHERE hook_id = %s LIMIT %s)
"""
_SWEEP_REST = (
    "DELETE FROM webhooks.queues WHERE hook_id = %s",
    "DELETE FROM webhooks.secrets WHERE hook_id = %s",
)


class Told(Struct, frozen=True, kw_only=True):
    """An event for a hook, to be stored."""

    hook_id: str
    account_id: str
    delivery: Delivery


class Recorded(Struct, frozen=True, kw_only=True):
    """What the end of a run changed: `dead` accounts are tried no more."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    ended: bool = False


class WebhookTable:
    """The tables on a connection. Each call is one transaction."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def positions(self) -> Iterable[Position]:
        """How far each partition was read."""
        return positions.load(self._connection, CONSUMER)

    def hooks(self) -> list[Hook]:
        """The hooks that have not ended, with the secrets that sign now."""
        rows = self._connection.execute(_HOOKS).fetchall()
        return [
            _hook(hook_id, url, events, starts, _secrets(secrets))
            for hook_id, url, events, starts, secrets in rows
        ]

    def keep(
        self,
        told: Iterable[Told],
        moved: Mapping[int, int],
        topic_id: str,
        now: Instant,
    ) -> None:
        """Store what hooks are to be told of, and the new positions, in the transaction that
        `reading` opened.
        """
        each = list(told)
        if each:
            columns = {
                "now": now,
                "hooks": [one.hook_id for one in each],
                "accounts": [one.account_id for one in each],
                "offsets": [one.delivery.offset for one in each],
                "ids": [one.delivery.webhook_id for one in each],
                "bodies": [one.delivery.body for one in each],
            }
            self._connection.execute(_PUT_QUEUES, columns)
            self._connection.execute(_PUT, columns)
        passing("webhooks.rows")
        positions.save(self._connection, CONSUMER, topic_id, moved)
        passing("webhooks.positions")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction in which no hook can be added; ask for the hooks inside."""
        with self._connection.transaction():
            self._connection.execute(LOCK)
            yield

    def runs(
        self, now: Instant, hooks: Mapping[str, Hook], busy: Mapping[str, Sequence[Run]], most: int
    ) -> list[Run]:
        """What is to be sent now: of each hook `most` accounts at a time, those in `busy` included.

        Accounts that fail get half of that, so that they hold up no other; of a hook whose receiver
        is away, one account is tried.
        """
        found: list[Run] = []
        for hook_id, failures in self._connection.execute(_BUSY, {"now": now}).fetchall():
            hook, under_way = hooks.get(hook_id), busy.get(hook_id, ())
            if hook is None:
                continue
            room = (1 if failures >= PATIENCE else most) - len(under_way)
            fresh = self._of_hook(_FRESH, hook, now, under_way, room)
            failing = most // 2 - sum(run.failing for run in under_way)
            room = min(room - len(fresh), failing)
            found += (*fresh, *self._of_hook(_FAILING, hook, now, under_way, room))
        return found

    def record(self, end: RunEnd, now: Instant, chance: float) -> Recorded:
        """Store what became of a run."""
        hook_id, account_id = end.run.hook.hook_id, end.run.account_id
        where = {"hook": hook_id, "account": account_id, "now": now}
        with self._connection.transaction():
            if end.delivered:
                last = end.run.deliveries[end.delivered - 1].offset
                self._connection.execute(_DELIVERED, (hook_id, account_id, last))
                if not self._connection.execute(EMPTIED, where).rowcount:
                    self._connection.execute(_GO_ON, where)
                self._connection.execute(_HOOK_SENT, (end.delivered, now, hook_id))
            recorded = Recorded(sent=end.delivered)
            if end.failure is not None:
                recorded = self._failed(end, now, chance)
            passing("webhooks.marked")
        return recorded

    def sweep(self) -> bool:
        """Delete secrets that sign no more, and a slice of what is left of hooks that have ended;
        whether there was any.
        """
        self._connection.execute(_OLD_SECRETS)
        row = self._connection.execute(_LEFT_OVER).fetchone()
        if row is None:
            return False
        with self._connection.transaction():
            if self._connection.execute(_SWEEP, (row[0], SLICE)).rowcount < SLICE:
                for rest in _SWEEP_REST:
                    self._connection.execute(rest, row)
        return True

    def _of_hook(
        self, query: str, hook: Hook, now: Instant, under_way: Sequence[Run], room: int
    ) -> list[Run]:
        if room <= 0:
            return []
        busy = [run.account_id for run in under_way]
        limits = {"limit": room, "run": RUN, "bytes": RUN_BYTES}
        asked = {"hook": hook.hook_id, "now": now, "not": busy, **limits}
        by_account: dict[str, list[Delivery]] = {}
        for account_id, offset, webhook_id, body in self._connection.execute(query, asked):
            delivery = Delivery(offset=offset, webhook_id=webhook_id, body=bytes(body))
            by_account.setdefault(account_id, []).append(delivery)
        failing = query is _FAILING
        return [
            Run(hook=hook, account_id=account_id, deliveries=tuple(each), failing=failing)
            for account_id, each in by_account.items()
        ]

    def _failed(self, end: RunEnd, now: Instant, chance: float) -> Recorded:
        """The account waits and, after several failures in a row, the hook with all its accounts;
        after a day the account is dead or, if nothing else was delivered either, all of them.
        """
        failure, hook_id, account_id = end.failure, end.run.hook.hook_id, end.run.account_id
        assert failure is not None
        if failure.gone:
            self._connection.execute(END, ("its receiver answered 410", hook_id))
            return Recorded(sent=end.delivered, failed=1, ended=True)
        said = {"hook": hook_id, "account": account_id, "now": now, "said": failure.why}
        row = self._connection.execute(_AGAIN, said).fetchone()
        if row is None:  # the account's deliveries were given up meanwhile
            return Recorded(sent=end.delivered, failed=1)
        due_at, lost = now + delay(row[0], chance, failure.asked), dead(row[1], now)
        state = "DEAD" if lost else "WAITING"
        self._connection.execute(_LATER, (due_at, state, hook_id, account_id))
        all_lost = self._hook_failed(hook_id, now, first=row[0] == 1)
        return Recorded(sent=end.delivered, failed=1, dead=int(lost) + all_lost)

    def _hook_failed(self, hook_id: str, now: Instant, *, first: bool) -> int:
        row = self._connection.execute(_HOOK_FAILED, (int(first), now, hook_id)).fetchone()
        if row is None or row[0] < PATIENCE:
            return 0
        failing_since: Instant = row[1]
        if dead(failing_since, now):
            self._connection.execute(BEGINS_ANEW, (hook_id,))
            return self._connection.execute(_ALL_DEAD, (hook_id,)).rowcount
        self._connection.execute(_HOOK_RESTS, (now + rest(failing_since, now), hook_id))
        return 0


def active_hooks(connection: Connection[Any]) -> list[Hook]:
    """The hooks that have not ended, without their secrets: not everybody may read those."""
    return [_hook(*row) for row in connection.execute(_ACTIVE)]


def _hook(
    hook_id: str,
    url: str,
    events: list[str],
    starts: list[int],
    secrets: tuple[Secret, ...] = (),
) -> Hook:
    return Hook(
        hook_id=hook_id,
        url=url,
        events=frozenset(events),
        starts=tuple(starts),
        secrets=secrets,
    )


def _secrets(found: list[tuple[int, str, bool]]) -> tuple[Secret, ...]:
    return tuple(
        Secret(number=number, stored=bytes.fromhex(stored), wrapped=wrapped)
        for number, stored, wrapped in found
    )

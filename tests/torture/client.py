"""The clients of a cell: one sends the commands, again and again if need be; one asks and looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import dict_row

from ledger.log.seam import LogUnavailable
from projector.asking.queries import positions
from projector.rows.writer import READ_MODELS
from projector.views import VIEWS
from tests.torture.arena import Arena, NeverCame
from tests.torture.history import Acked, Answer, Rows, Snapshot
from tests.torture.workload import Workload

PAUSE_SECONDS = 0.05
GIVE_UP_SECONDS = 120.0
ANSWERS = (
    "SELECT account_id, command_id, command_digest, event_ids, refused, complete"
    " FROM finance.outcomes WHERE account_id = %s"
)


class Publisher(threading.Thread):
    """Sends a workload. What is not acked is sent again under the same ids, as upstream does.

    The last third is held back until `release`.
    """

    def __init__(self, arena: Arena, load: Workload) -> None:
        super().__init__(name="torture-publisher", daemon=True)
        self._tools = arena.client_tools
        self._waves = load.waves
        self._released = threading.Event()
        self._under_way = threading.Event()
        self._cancelled = False
        self.acked: list[Acked] = []
        self.sent = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Wave after wave."""
        try:
            for number, wave in enumerate(self._waves):
                if number == len(self._waves) // 3:
                    self._under_way.set()
                if number == len(self._waves) * 2 // 3:
                    self._released.wait()
                self._send(wave)
                time.sleep(PAUSE_SECONDS)
        except Exception as error:
            self.failure = error
        finally:
            self._under_way.set()

    def wait_until_under_way(self) -> None:
        """Until a third is sent."""
        self._under_way.wait()

    def release(self) -> None:
        """Send the last third too."""
        self._released.set()

    def finish(self) -> None:
        """Wait until all is acked; raises what went wrong."""
        self.release()
        self.join(2 * GIVE_UP_SECONDS)
        if self.failure is not None:
            raise self.failure

    def cancel(self) -> None:
        """Send no more."""
        self._cancelled = True
        self.release()

    def _send(self, wave: Sequence[Any]) -> None:
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while not self._cancelled:
            self.sent += len(wave)
            try:
                places = self._tools.publish(wave)
            except LogUnavailable as error:
                if time.monotonic() > give_up:
                    raise NeverCame(f"no commands are taken any more: {error}") from error
                time.sleep(PAUSE_SECONDS)
                continue
            pairs = zip(wave, places, strict=True)
            self.acked += [Acked(sent=sent, place=place) for sent, place in pairs]
            return


class Onlooker(threading.Thread):
    """Looks at the read models while it happens: what it is told must hold for ever."""

    def __init__(self, arena: Arena, accounts: Iterable[str]) -> None:
        super().__init__(name="torture-onlooker", daemon=True)
        self._arena = arena
        self._accounts = sorted(accounts)
        self._done = threading.Event()
        self.answers: list[Answer] = []
        self.snapshots: list[Snapshot] = []

    def run(self) -> None:
        """Again and again; a database that is away is waited for."""
        turn = 0
        while not self._done.wait(0.8):
            try:
                with psycopg.connect(
                    self._arena.database_url, connect_timeout=2, options="-c statement_timeout=5s"
                ) as connection:
                    account = self._accounts[turn % len(self._accounts)]
                    self.answers += answers(connection, account)
                    if turn % 6 == 0:
                        connection.rollback()
                        self.snapshots.append(snapshot(connection, self._accounts))
                turn += 1
            except psycopg.Error:
                continue

    def finish(self) -> None:
        """One last look at everything, now that all is at rest."""
        self.stop()
        with psycopg.connect(self._arena.database_url) as connection:
            for account in self._accounts:
                self.answers += answers(connection, account)
            connection.rollback()
            self.snapshots.append(snapshot(connection, self._accounts))

    def stop(self) -> None:
        """Look no more."""
        self._done.set()
        self.join(30.0)


def answers(connection: Connection[Any], account_id: str) -> list[Answer]:
    """What a client is told of every command of an account."""
    return [
        Answer(
            account_id=account,
            command_id=command_id,
            digest=digest,
            event_ids=tuple(event_ids),
            refused=refused,
            complete=complete,
        )
        for account, command_id, digest, event_ids, refused, complete in connection.execute(
            ANSWERS, (account_id,)
        )
    ]


def snapshot(connection: Connection[Any], accounts: Sequence[str]) -> Snapshot:
    """The rows of these accounts in every read model, and the projector's place, at one instant."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    reached = positions(connection)
    tables: dict[str, Rows] = {}
    for view in VIEWS:
        table = view.TABLE
        wanted = sql.SQL("SELECT * FROM {} WHERE account_id = ANY(%s)").format(
            sql.Identifier(READ_MODELS, table.name)
        )
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(wanted, (list(accounts),)).fetchall()
        tables[table.name] = {tuple(row[name] for name in table.key): row for row in rows}
    return Snapshot(positions=reached, tables=tables)

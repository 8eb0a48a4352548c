"""The database: rows in memory, transactions whole or not at all, backups, cut connections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from psycopg import OperationalError

from consumers.deadlines.schedule import (
    DeadlineChange,
    DestroyKeys,
    PutDeadline,
    SendAgain,
    attempt_id,
)
from consumers.deadlines.table import DueDeadline
from consumers.positions import Position
from ledger.values.instants import Instant
from ledger.wire.avro.codec import encode_command, read_command
from projector.following.checkpoint import Checkpoint
from projector.rows.changes import ImpossibleChange, TableChanges
from projector.rows.tables import Key, Row
from tests.consumers.deciding.snapshots.in_memory import Shelf

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

PENDING, CANCELLED, SENT = "PENDING", "CANCELLED", "SENT"


class DeadlineRow(Struct, frozen=True, kw_only=True):
    """A deadline as it stands in the table."""

    due: DueDeadline
    command_id: str
    state: str = PENDING


class Rows(Struct, kw_only=True):
    """Everything that is committed. A row is never changed in place, so copies are shallow."""

    tables: dict[str, dict[Key, Row]]
    checkpoints: dict[int, tuple[int, str, int, int, bytes]]
    positions: dict[int, Position]
    deadlines: dict[tuple[int, str], DeadlineRow]
    shelf: Shelf

    def copy(self) -> Rows:
        """The rows as they are now."""
        return Rows(
            tables={name: dict(rows) for name, rows in self.tables.items()},
            checkpoints=dict(self.checkpoints),
            positions=dict(self.positions),
            deadlines=dict(self.deadlines),
            shelf=Shelf(snapshots=dict(self.shelf.snapshots)),
        )


def no_rows() -> Rows:
    """An empty database."""
    return Rows(tables={}, checkpoints={}, positions={}, deadlines={}, shelf=Shelf())


class Database:
    """The server: what is committed, who is connected, who holds which advisory lock."""

    def __init__(self) -> None:
        self.rows = no_rows()
        self.backup = no_rows()
        self.locks: dict[str, Connection] = {}
        self._sessions: set[Connection] = set()

    def connected(self, connection: Connection) -> None:
        """A new session."""
        self._sessions.add(connection)

    def cut(self, connection: Connection) -> None:
        """End a session; its locks are free."""
        connection.cut = True
        self._sessions.discard(connection)
        for name in [name for name, holder in self.locks.items() if holder is connection]:
            del self.locks[name]

    def cut_those_of_the_dead(self) -> None:
        """The server notices that the processes at the other end are gone."""
        for connection in [each for each in self._sessions if each.process.dead]:
            self.cut(connection)

    def restore(self) -> None:
        """Put the backup in the place of what is there; every session ends."""
        for connection in list(self._sessions):
            self.cut(connection)
        self.rows = self.backup.copy()


class Connection:
    """One process's session. Any request may find it cut, or cut it before the reply is back."""

    def __init__(self, world: World, process: Process) -> None:
        self.process = process
        self.cut = False
        self._answer = (False,)
        self._world = world
        world.pause("connect to the database")
        world.database.connected(self)

    @property
    def rows(self) -> Rows:
        """What is committed, as far as it can be asked."""
        return self._world.database.rows

    def ask(self, what: str) -> None:
        """A round trip. Raises OperationalError."""
        self._world.pause(what)
        if self._world.faults.strikes("connection cut"):
            self._world.database.cut(self)
        if self.cut:
            raise OperationalError(f"{what}: the connection is gone")

    def answered(self, what: str) -> None:
        """The way back. Raises OperationalError, though what was asked is done."""
        if self._world.faults.strikes("lost database reply"):
            self._world.database.cut(self)
            raise OperationalError(f"{what}: the reply was lost")

    def try_lock(self, name: str) -> bool:
        """Take an advisory lock, which is this session's until it ends."""
        self.ask(f"lock {name}")
        return self._world.database.locks.setdefault(name, self) is self

    def execute(self, statement: str) -> Connection:
        """The only statement that reaches the database as a text: the one that takes a lock."""
        self._answer = (self.try_lock(statement),)
        return self

    def fetchone(self) -> tuple[bool]:
        """What came of it."""
        return self._answer


class SimulatedTables:
    """The read models and their checkpoints; satisfies `projector.runner.Tables`."""

    def __init__(self, connection: Connection, topic_id: str) -> None:
        self._connection = connection
        self._topic_id = topic_id
        self._changes: list[TableChanges] = []
        self._moved: list[Checkpoint] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nothing is there before the commit."""
        self._changes, self._moved = [], []
        yield
        self._connection.ask("commit the read models")
        self._apply(self._connection.rows)
        self._connection.answered("commit the read models")

    def write(self, changes: Iterable[TableChanges]) -> int:
        """Have the transaction write these."""
        self._connection.ask("write the read models")
        self._changes += changes
        rows = self._connection.rows
        for of_table in self._changes:
            _check(of_table, rows.tables.get(of_table.table.name, {}))
        return sum(len(each.inserts) + len(each.patches) for each in self._changes)

    def save(self, moved: Iterable[Checkpoint]) -> None:
        """Have the transaction move these."""
        self._connection.ask("save the checkpoints")
        self._moved += moved

    def check(self) -> None:
        """See that the session goes on."""
        self._connection.ask("is the database still there?")

    def checkpoints(self) -> list[tuple[int, str, int, int, bytes]]:
        """Those that are saved."""
        self._connection.ask("read the checkpoints")
        return list(self._connection.rows.checkpoints.values())

    def _apply(self, rows: Rows) -> None:
        for of_table in self._changes:
            table = rows.tables.setdefault(of_table.table.name, {})
            table.update(of_table.inserts)
            for key, patch in of_table.patches.items():
                row = {**table[key], **patch.columns}
                for column, amount in patch.amounts.items():
                    standing = row[column]
                    assert isinstance(standing, int)
                    row[column] = standing + amount
                table[key] = row
        for place in self._moved:
            rows.checkpoints[place.partition] = (
                place.partition,
                self._topic_id,
                place.next_offset,
                place.log_sequence,
                place.last_hash,
            )


def _check(of_table: TableChanges, table: dict[Key, Row]) -> None:
    """Raises ImpossibleChange as the statements of `projector.rows.writer` do."""
    name = of_table.table.name
    for key in of_table.inserts:
        if key in table:
            raise ImpossibleChange(f"{name} {key}: a row to insert is already there")
    for key in of_table.patches:
        if key not in table:
            raise ImpossibleChange(f"{name} {key}: a row to change is not there")


class SimulatedDeadlines:
    """The deadlines; satisfies `consumers.deadlines.keeper.DeadlineRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def positions(self) -> Iterable[Position]:
        """How far each partition was read."""
        self._connection.ask("read the positions of the deadlines")
        return list(self._connection.rows.positions.values())

    def keep(
        self,
        changes: Iterable[tuple[int, DeadlineChange]],
        moved: Mapping[int, int],
        topic_id: str,
    ) -> None:
        """Rows and positions in one transaction."""
        self._connection.ask("keep the deadlines")
        rows = self._connection.rows
        self.put(rows, changes)
        self.move(rows, moved, topic_id)
        self._connection.answered("keep the deadlines")

    def put(self, rows: Rows, changes: Iterable[tuple[int, DeadlineChange]]) -> None:
        """Put and cancel, in order."""
        for partition, change in changes:
            if isinstance(change, SendAgain):
                self._send_again(rows, change.command_id)
                continue
            if isinstance(change, DestroyKeys):  # no text is sealed here
                continue
            place = (partition, change.deadline_id)
            if isinstance(change, PutDeadline):
                due = DueDeadline(
                    partition=partition,
                    deadline_id=change.deadline_id,
                    due_at=change.due_at,
                    command=encode_command(change.command),
                    attempt=1,
                )
                rows.deadlines[place] = DeadlineRow(
                    due=due, command_id=change.command.meta.command_id
                )
            elif place in rows.deadlines and rows.deadlines[place].state != SENT:
                rows.deadlines[place] = replace(rows.deadlines[place], state=CANCELLED)

    def move(self, rows: Rows, moved: Mapping[int, int], topic_id: str) -> None:
        """The new positions."""
        for partition, next_offset in moved.items():
            rows.positions[partition] = (partition, topic_id, next_offset)

    def due(self, now: Instant, limit: int, *, released: bool) -> list[DueDeadline]:
        """The earliest whose instant has come."""
        self._connection.ask("ask what is due")
        found = [
            row.due
            for row in self._connection.rows.deadlines.values()
            if row.state == PENDING and row.due.due_at <= now
        ]
        found.sort(key=lambda due: (due.due_at, due.deadline_id))
        return found[:limit]

    def mark_sent(self, sent: Sequence[DueDeadline], now: Instant) -> None:
        """Their commands are in the log."""
        self._connection.ask(f"mark {len(sent)} deadlines sent")
        rows = self._connection.rows.deadlines
        for due in sent:
            place = (due.partition, due.deadline_id)
            if place in rows:
                rows[place] = replace(rows[place], state=SENT)
        self._connection.answered("mark deadlines sent")

    def _send_again(self, rows: Rows, command_id: str) -> None:
        for place, row in list(rows.deadlines.items()):
            if row.command_id == command_id and row.state != CANCELLED:
                attempt = row.due.attempt + 1
                again = attempt_id(read_command(row.due.command), row.due.deadline_id, attempt)
                due = replace(row.due, attempt=attempt)
                rows.deadlines[place] = DeadlineRow(due=due, command_id=again)

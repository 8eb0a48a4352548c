"""Running a cell: publish, let the fault strike, come to rest, hold the history to the model."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ledger.log.seam import LogRecord, Topic
from ledger.terms.table import released_terms
from ledger.vocabulary.events import LedgerOpened
from ledger.wire.avro.codec import decode_event
from tests.torture.arena import PARTITIONS, Arena, NeverCame, wait_until
from tests.torture.cells import Cell
from tests.torture.checker import Checker, summed_up
from tests.torture.client import Onlooker, Publisher
from tests.torture.faults import NotHere, Struck
from tests.torture.history import History, Kind, Violation
from tests.torture.workload import workload


class Result(Struct, frozen=True, kw_only=True):
    """What became of a cell. `decided_again_seconds` is the longest any partition went without."""

    cell: Cell
    seed: int
    seconds: float
    struck: Struck | None = None
    published: int = 0
    commands: int = 0
    duplicates: int = 0
    events: int = 0
    looks: int = 0
    decided_again_seconds: float | None = None
    violations: tuple[Violation, ...] = ()
    failure: str | None = None
    skipped: str | None = None

    @property
    def clean(self) -> bool:
        """Whether the fault struck and nothing was found."""
        return not self.violations and self.failure is None

    def count(self, kind: Kind) -> int:
        """How many violations of a kind."""
        return sum(each.kind is kind for each in self.violations)

    def told(self) -> list[str]:
        """What went wrong, in lines."""
        failed = [self.failure] if self.failure else []
        return [*failed, *summed_up(self.violations)]


class Bench:
    """The cells of one arena, one after another; it keeps what the checker needs to know."""

    def __init__(self, arena: Arena, seed: int) -> None:
        self._arena = arena
        self._seed = seed
        self._next = {topic: [0] * PARTITIONS for topic in Topic}
        self._number = 0
        first = next(iter(arena.tools.replay(Topic.EVENTS)))
        opened = decode_event(first.value).body
        assert isinstance(opened, LedgerOpened)
        self._checker = Checker(opened, released_terms())

    def run(self, cell: Cell) -> Result:
        """One cell, from rest to rest."""
        started = time.monotonic()
        seed = seed_of(cell, self._seed)
        self._number += 1
        result = Result(cell=cell, seed=self._seed, seconds=0.0)
        try:
            wait_until(self._arena.ready, "the stack to be ready")
            found = self._tortured(cell, random.Random(seed), seed)
            result = self._judged(result, *found)
        except NotHere as reason:
            return replace(result, skipped=str(reason))
        except Exception as error:  # whatever it was, the cell has shown nothing: said, not hidden
            what = str(error) if isinstance(error, NeverCame) else repr(error)
            result = replace(result, failure=what)
        return replace(result, seconds=time.monotonic() - started)

    def _tortured(
        self, cell: Cell, chance: random.Random, seed: int
    ) -> tuple[Publisher, Onlooker, Struck, int, frozenset[str]]:
        """1. Publish and look on. 2. The fault strikes and heals. 3. All come to rest."""
        name = f"c{self._number}"
        load = workload(name, seed, PARTITIONS, time.time_ns() // 1_000)
        client, onlooker = Publisher(self._arena, load), Onlooker(self._arena, load.accounts)
        client.start()
        onlooker.start()
        try:
            client.wait_until_under_way()
            struck = cell.fault.strike(self._arena, chance, client)
            client.finish()
            wait_until(lambda: time.time_ns() // 1_000 > load.last_due, "the last deadline")
            wait_until(self._settled, "everything to come to rest")
            onlooker.finish()
        finally:
            client.cancel()
            onlooker.stop()
        return client, onlooker, struck, load.duplicates, load.accounts

    def _settled(self) -> bool:
        """At rest, with everybody there to be at rest; not while anything is unreachable."""
        try:
            return self._arena.ready() and self._arena.at_rest()
        except Exception:  # the broker or the database is away: not at rest, then
            return False

    def _judged(
        self,
        result: Result,
        client: Publisher,
        onlooker: Onlooker,
        struck: Struck,
        duplicates: int,
        accounts: frozenset[str],
    ) -> Result:
        news = {topic: self._news(topic) for topic in Topic}
        history = History(
            accounts=accounts,
            acked=tuple(client.acked),
            commands=news[Topic.COMMANDS],
            events=news[Topic.EVENTS],
            dead_letters=news[Topic.DEAD_LETTERS],
            snapshots=tuple(onlooker.snapshots),
            answers=tuple(onlooker.answers),
            hook_id=self._arena.hook_id,
            webhooks=self._arena.receiver.taken(),
        )
        return replace(
            result,
            struck=struck,
            published=len(client.acked),
            commands=len(history.commands),
            duplicates=duplicates + client.sent - len(client.acked),
            events=len(history.events),
            looks=len(history.snapshots) + len(history.answers),
            decided_again_seconds=decided_again(history, struck.at),
            violations=tuple(self._checker.check(history, time.time_ns() // 1_000)),
        )

    def _news(self, topic: Topic) -> tuple[LogRecord, ...]:
        """What has come into a topic since the last cell."""
        found = tuple(self._arena.tools.replay(topic, self._next[topic]))
        for each in found:
            self._next[topic][each.partition] = each.offset + 1
        return found


def seed_of(cell: Cell, seed: int) -> int:
    """The cell's own seed, by its name: the same whichever cells run beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {cell.name}".encode()).digest()[:8], "big")


def decided_again(history: History, struck_at: int) -> float | None:
    """Seconds from the fault until the last of the partitions with commands was decided in."""
    waits = []
    for partition in range(PARTITIONS):
        asked = _first_after(history.commands, partition, struck_at)
        done = _first_after(history.events, partition, struck_at)
        if asked is not None and done is not None:
            waits.append((done - struck_at) / 1e6)
    return max(waits, default=None)


def _first_after(records: Sequence[LogRecord], partition: int, instant: int) -> int | None:
    times = (each.appended_at for each in records if each.partition == partition)
    return min((at for at in times if at >= instant), default=None)

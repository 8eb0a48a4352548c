"""A sandbox on a real stack: its clock is set by hand, and each step waits for all processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import Connection

from consumers.clock import SandboxClock
from consumers.deadlines import table
from consumers.deciding.decider import GROUP as DECIDER
from consumers.follow_ups import command_record
from consumers.reacting.reactor import GROUP as REACTIONS
from ledger.log.seam import LogTools, Topic
from ledger.origins.signing import Signing, unsigned
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand

_POLL_SECONDS = 0.005
_POSITIONS = "SELECT next_offset FROM consumers.checkpoints WHERE consumer = %s ORDER BY partition"


class SandboxStalled(Exception):
    """The stack makes no progress; the message says which process, and what to do."""


class SandboxWorld:
    """The running sandbox, for stepping; satisfies `SteppedWorld`."""

    def __init__(
        self,
        connection: Connection[Any],
        tools: LogTools,
        *,
        patience_seconds: float = 60.0,
        signing: Signing = unsigned,
    ) -> None:
        self._connection = connection
        self._tools = tools
        self._signing = signing
        self._clock = SandboxClock(connection)
        self._patience_seconds = patience_seconds

    def now(self) -> Instant:
        """The sandbox's present instant."""
        return self._clock.now()

    def set_now(self, instant: Instant) -> None:
        """Advance its clock."""
        self._clock.set(instant)

    def next_due(self) -> Instant | None:
        """The earliest pending deadline."""
        return table.next_due(self._connection)

    def fire(self, due_at: Instant) -> None:
        """Let the keeper send everything due by then, and wait for it."""
        table.release(self._connection, due_at)
        self._wait(
            lambda: table.count_released(self._connection) == 0,
            "the reactions process to send the deadlines",
        )

    def publish(self, given: GivenCommand) -> None:
        """Send a command."""
        count = self._tools.partition_count
        self._tools.publish([command_record(given, count, self._signing())])

    def settle(self) -> None:
        """Wait until all commands, their events and their follow-ups are processed.

        1. The decider has committed all commands. 2. Reactions and deadlines have read all events
        that exist then. 3. If there is no new command, everything is done, because reactions send
        their follow-ups before their own offset moves.
        """
        while True:
            commands = self._tools.end_offsets(Topic.COMMANDS)
            self._wait(
                lambda ends=commands: _reached(  # type: ignore[misc]  # bound for this round
                    self._tools.committed_offsets(DECIDER, Topic.COMMANDS), ends
                ),
                "the decider to decide",
            )
            events = self._tools.end_offsets(Topic.EVENTS)
            self._wait(
                lambda ends=events: _reached(  # type: ignore[misc]  # bound for this round
                    self._tools.committed_offsets(REACTIONS, Topic.EVENTS), ends
                ),
                "the reactions to react",
            )
            self._wait(
                lambda ends=events: _reached(  # type: ignore[misc]  # bound for this round
                    self._deadline_positions(), ends
                ),
                "the deadlines to be stored",
            )
            if self._tools.end_offsets(Topic.COMMANDS) == commands:
                return

    def _deadline_positions(self) -> list[int]:
        rows = self._connection.execute(_POSITIONS, (table.CONSUMER,)).fetchall()
        return [int(row[0]) for row in rows]

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + self._patience_seconds
        while not until():
            if time.monotonic() > give_up:
                raise SandboxStalled(
                    f"waited {self._patience_seconds:.0f} s for {what}; "
                    "see 'refundctl status' and 'refundctl logs'"
                )
            time.sleep(_POLL_SECONDS)


def _reached(positions: Sequence[int | None], ends: Sequence[int]) -> bool:
    """Has every partition been read to its end? An empty partition needs no position."""
    if len(positions) < len(ends):
        return not any(ends)
    return all((at or 0) >= end for at, end in zip(positions, ends, strict=True))

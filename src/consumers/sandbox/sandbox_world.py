"""A sandbox on a real stack: its time goes only when told to, and all wait for all."""

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
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand

_POLL_SECONDS = 0.005
_POSITIONS = "SELECT next_offset FROM consumers.checkpoints WHERE consumer = %s ORDER BY partition"


class SandboxStalled(Exception):
    """The stack does not get on with what it was sent; the message says who and what to do."""


class SandboxWorld:
    """The running sandbox as one who steps it sees it; satisfies `SteppedWorld`."""

    def __init__(
        self, connection: Connection[Any], tools: LogTools, *, patience_seconds: float = 60.0
    ) -> None:
        self._connection = connection
        self._tools = tools
        self._clock = SandboxClock(connection)
        self._patience_seconds = patience_seconds

    def now(self) -> Instant:
        """Where the sandbox stands."""
        return self._clock.now()

    def set_now(self, instant: Instant) -> None:
        """Move its clock on."""
        self._clock.set(instant)

    def next_due(self) -> Instant | None:
        """The earliest pending deadline."""
        return table.next_due(self._connection)

    def fire(self, due_at: Instant) -> None:
        """Have the keeper send everything due by then, and wait until it has."""
        table.release(self._connection, due_at)
        self._wait(
            lambda: table.count_released(self._connection) == 0,
            "the reactions process to send the deadlines",
        )

    def publish(self, given: GivenCommand) -> None:
        """Send a command."""
        self._tools.publish([command_record(given, self._tools.partition_count)])

    def settle(self) -> None:
        """Wait until commands, their events and what follows from these are all through.

        1. The decider has committed all commands there are. 2. Reactions and deadlines have read
        all events there are then. 3. If no command has come meanwhile, nothing is left to come:
        reactions send their follow-ups before their own offset moves.
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
                "the deadlines to be noted",
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
    """Has every partition come to its end? An empty partition needs no position."""
    if len(positions) < len(ends):
        return not any(ends)
    return all((at or 0) >= end for at, end in zip(positions, ends, strict=True))

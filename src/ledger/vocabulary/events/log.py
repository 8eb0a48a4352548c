"""Facts about the log itself: a partition opened, a command refused."""

from __future__ import annotations

from ledger.values.refusal import Violation
from ledger.vocabulary.shapes import Shape


class LedgerOpened(Shape, frozen=True, kw_only=True):
    """The first event of every partition: the world the ledger was opened in."""

    partition_count: int
    topic_ids: dict[str, str]
    sandbox: bool
    program_version: str


class CommandRefused(Shape, frozen=True, kw_only=True):
    command_type: str
    command_id: str
    violations: tuple[Violation, ...]


LogEvent = LedgerOpened | CommandRefused

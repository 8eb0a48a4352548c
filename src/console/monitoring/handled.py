"""What is told of the records of a batch after its commit: lines in the log, spans of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from ledger.log.seam import LogRecord, Outgoing
from ledger.wire.cloud_events import ids_of, told_of

Handled = Callable[[str, Sequence[LogRecord], Sequence[Outgoing]], None]
"""Receives a consumer's name, the records of a batch, and what was written with them."""

log = structlog.get_logger()


def in_the_log(consumer: str, read: Sequence[LogRecord], written: Sequence[Outgoing]) -> None:
    """A line for each record with its ids, to search by command, event or trace (level debug)."""
    for record in read:
        log.debug("handled", consumer=consumer, **told_of(record))
    for each in written:
        log.debug("written", consumer=consumer, topic=each.topic.value, **ids_of(each.headers))


def all_of(handlers: Sequence[Handled]) -> Handled:
    """Each of them, in order."""

    def told(consumer: str, read: Sequence[LogRecord], written: Sequence[Outgoing]) -> None:
        for handled in handlers:
            handled(consumer, read, written)

    return told

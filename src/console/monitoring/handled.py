"""What is told of the records of a batch after its commit: lines in the log, spans of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from console.monitoring.meters import Meters
from ledger.log.seam import LogRecord, Outgoing
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.sealing import clear_texts, text_fields
from ledger.wire.avro.codec import UnreadableRecord, read_command, schema_of
from ledger.wire.avro.schema_files import Family
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


def clear_texts_counted(meters: Meters) -> Handled:
    """Counts the commands with a free text that is not sealed, by their name."""

    def told(consumer: str, read: Sequence[LogRecord], _written: Sequence[Outgoing]) -> None:
        for record in read if consumer == "decider" else ():
            with suppress(UnreadableRecord):
                name, _ = schema_of(Family.COMMANDS, record.value)
                if text_fields(COMMANDS[name]) and clear_texts(read_command(record.value)):
                    meters.clear_texts.labels(name).inc()

    return told


def all_of(handlers: Sequence[Handled]) -> Handled:
    """Each of them, in order."""

    def told(consumer: str, read: Sequence[LogRecord], written: Sequence[Outgoing]) -> None:
        for handled in handlers:
            handled(consumer, read, written)

    return told

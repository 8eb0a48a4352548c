"""What all commands on dead letters share: the log, the named letters, the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from consumers.dead_letters.status import LetterStatus
    from ledger.log.kafka import KafkaOnlyWriter, KafkaTools
    from ledger.wire.avro.codec import Unreadable
    from ledger.wire.dead_letters.headers import Place

Standings = Mapping["Place", "LetterStatus"]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per letter.")]
Only = Annotated[
    str | None, typer.Option("--only", metavar="REASON", help="Only letters with this reason.")
]


def named_letters(names: list[str], found: Standings) -> list[LetterStatus]:
    """The letters with these names, each once; BadInput if a name is unknown."""
    standing = {str(source): each for source, each in found.items()}
    unknown = [name for name in names if name not in standing]
    if unknown:
        raise BadInput(
            f"there is no dead letter {', '.join(unknown)}; 'refundctl dlq list --closed' names "
            f"all {len(standing)}"
        )
    return [standing[name] for name in dict.fromkeys(names)]


def known_reason(only: str | None) -> Unreadable | None:
    """The reason that --only names; BadInput if it is unknown."""
    from ledger.wire.avro.codec import Unreadable

    if only is None:
        return None
    name = only.upper()
    if name not in set(Unreadable):
        raise BadInput(f"there is no reason {only!r}; reasons are {', '.join(Unreadable)}")
    return Unreadable(name)


@contextmanager
def open_tools() -> Iterator[KafkaTools]:
    """The log of the running ledger."""
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from ledger.log.kafka import KafkaTools

    log_to_stderr("error", json=False)
    tools = KafkaTools(find_ledger(read_settings()).kafka)
    try:
        yield tools
    finally:
        tools.close()


@contextmanager
def open_only_writer() -> Iterator[KafkaOnlyWriter]:
    """Become the only process that can close dead letters."""
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from consumers.dead_letters.redrive import WRITER
    from ledger.log.kafka import KafkaOnlyWriter

    writer = KafkaOnlyWriter(find_ledger(read_settings()).kafka, WRITER)
    try:
        yield writer
    finally:
        writer.close()

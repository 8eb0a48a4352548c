"""Collects the events for an explanation: from a ledger, a command file, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from console.terminal.errors import BadInput
from ledger.wire.json.lines import json_lines

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from console.sealing.master_key import MasterKey
    from console.sealing.showing import Opener
    from ledger.log.kafka import KafkaTools
    from ledger.log.seam import LogTools
    from ledger.terms.table import TermsTable
    from ledger.vocabulary.envelope import GivenCommand, RecordedEvent

_IN_JSON = ("at", "event", "id", "account", "sequence", "causation_id", "body")

Json = dict[str, Any]
Place = tuple[int, int]


class Entry(Struct, frozen=True, kw_only=True):
    """An event in its JSON form, with its position if that is known.

    `source` is the same for all events of one command, and of no other; `stood_at` is where that
    command stood in the log.
    `signed` says whether its command was, if it is an event of a real log; `origin`, `origin_key`
    and `origins` by whom, with which key, and by which version of the table of origins.
    """

    event: str
    id: str
    account: str
    sequence: int
    causation_id: str
    at: str
    body: Json
    occurred_at: str | None = None
    actor: Json | None = None
    approved_by: str | None = None
    terms: str | None = None
    partition: int | None = None
    offset: int | None = None
    log_sequence: int | None = None
    source: Place | None = None
    stood_at: Place | None = None
    signed: bool | None = None
    origin: str | None = None
    origin_key: str | None = None
    origins: str | None = None


class Found(Struct, frozen=True, kw_only=True):
    """Events in the order of their recording, and the bodies of commands that are known."""

    entries: tuple[Entry, ...]
    commands: dict[tuple[str, str], Json]


def from_file(path: Path, terms: TermsTable) -> Found:
    """The events that a command file leads to, or the events that `simulate` printed."""
    from console.submitting.command_files import read_bytes

    content = read_bytes(path)
    first = next((line.value for line in json_lines(content) if line.value is not None), {})
    if "event" in first:
        return Found(entries=tuple(_printed(path, content)), commands={})
    return _played(path, content, terms)


def from_ledger(
    ledger: Ledger, wanted: str, account: str | None, master: MasterKey | None = None
) -> Found:
    """The events of the account that has the refund or command, from the running ledger.

    1. The read models give the account, and where it begins in the log. 2. Its events are read from
    there to the end of its partition. 3. The command is read from the offset in its outcome.
    4. Sealed texts are opened, as far as the master key opens them.
    """
    from console.running.ledger_locator import connected
    from console.sealing.showing import Opener
    from ledger.log.kafka import KafkaTools
    from ledger.values.ids import partition_of

    with connected(ledger.database_url) as connection:
        account = account or _account_of(connection, wanted)
        start = _beginning(connection, account)
    partition = partition_of(account.encode(), ledger.partition_count)
    tools = KafkaTools(ledger.kafka)
    try:
        entries = tuple(entries_of(tools, partition, start, account))
        commands = dict(_asked(tools, partition, entries, wanted))
    finally:
        tools.close()
    with connected(ledger.database_url) as connection:
        return _opened(Found(entries=entries, commands=commands), Opener(connection, master))


def from_history(events: Iterable[RecordedEvent], opener: Opener) -> Found:
    """An account's events as the read models have them, without their offsets and commands."""
    entries = tuple(entry_of(event) for event in events)
    return _opened(Found(entries=entries, commands={}), opener)


def _opened(found: Found, opener: Opener) -> Found:
    return Found(
        entries=tuple(
            replace(each, body=opener.shown(each.account, each.causation_id, each.body))
            for each in found.entries
        ),
        commands={key: opener.shown(*key, body) for key, body in found.commands.items()},
    )


def entry_of(recorded: RecordedEvent, offset: int | None = None) -> Entry:
    """A recorded event as an entry."""
    from ledger.values.instants import format_instant
    from ledger.wire.json.mapping import event_to_json, value_to_json

    meta = recorded.meta
    return Entry(
        **event_to_json(recorded),
        occurred_at=format_instant(meta.occurred_at),
        actor=value_to_json(meta.actor),
        approved_by=meta.approved_by or None,
        terms=meta.terms,
        partition=meta.source_partition,
        offset=offset,
        log_sequence=meta.log_sequence,
        source=(meta.source_partition, meta.log_sequence - meta.index),
        stood_at=None if meta.source_offset < 0 else (meta.source_partition, meta.source_offset),
    )


def _with_signature(recorded: RecordedEvent, offset: int) -> Entry:
    meta = recorded.meta
    return replace(
        entry_of(recorded, offset),
        signed=bool(meta.origin),
        origin=meta.origin or None,
        origin_key=meta.origin_key or None,
        origins=meta.origins or None,
    )


def is_of(entry: Entry, wanted: str) -> bool:
    """Does the event issue the refund, or answer the command, of that id?"""
    return wanted in (entry.causation_id, *issued_by(entry))


def issued_by(entry: Entry) -> tuple[str, ...]:
    """The refunds that an event creates."""
    if entry.event == "RefundIssued":
        return (entry.body["refund_id"],)
    if entry.event == "ReservationExchanged":
        return tuple(leg["refund_id"] for leg in entry.body["returned"])
    return ()


def _printed(path: Path, content: bytes) -> Iterator[Entry]:
    for line in json_lines(content):
        value = line.value or {}
        if set(_IN_JSON) - set(value) or not isinstance(value["body"], dict):
            raise BadInput(
                f"{path}, line {line.number}: not an event in the format of 'refundctl simulate'"
            )
        yield Entry(**{name: value[name] for name in _IN_JSON})


def _played(path: Path, content: bytes, terms: TermsTable) -> Found:
    from console.submitting.command_files import read_lines
    from console.submitting.scenario_runner import AnswerBook, run_scenario
    from console.terminal.output import version
    from consumers.sandbox.simulation import Simulation

    lines = read_lines(path, content, require_at=True)
    world = Simulation(terms, version())
    entries: list[Entry] = []
    commands: dict[tuple[str, str], Json] = {}
    for step in run_scenario(world, world.take_events, lines, AnswerBook()):
        entries += [entry_of(event) for event in step.events]
        if step.given is not None:
            key = (step.given.meta.account_id, step.given.meta.command_id)
            commands.setdefault(key, _body_of(step.given))
    return Found(entries=tuple(entries), commands=commands)


def _body_of(given: GivenCommand) -> Json:
    from ledger.wire.json.mapping import value_to_json

    return {"command": given.name, **value_to_json(given.body)}


def _account_of(connection: Any, wanted: str) -> str:
    rows = connection.execute(
        "SELECT account_id FROM read_models.refunds WHERE refund_id = %s UNION "
        "SELECT account_id FROM read_models.outcomes WHERE command_id = %s ORDER BY 1",
        (wanted, wanted),
    ).fetchall()
    if not rows:
        raise BadInput(
            f"the ledger has no refund and no command {wanted!r}; find the id with "
            "'refundctl query refunds' or 'refundctl query refusals'"
        )
    if len(rows) > 1:
        names = ", ".join(row[0] for row in rows)
        raise BadInput(f"{wanted!r} is in several accounts ({names}); name one with --account")
    return str(rows[0][0])


def _beginning(connection: Any, account: str) -> int:
    """The number of the account's first event; its offset is never below that."""
    row = connection.execute(
        "SELECT min(log_sequence) FROM read_models.outcomes WHERE account_id = %s", (account,)
    ).fetchone()
    if row is None or row[0] is None:
        raise BadInput(f"the ledger has no account {account!r}; see 'refundctl query accounts'")
    return int(row[0])


def entries_of(tools: LogTools, partition: int, start: int, account: str) -> Iterator[Entry]:
    """An account's events in a partition, from a position on, with who signed their commands."""
    from ledger.log.seam import Topic, only
    from ledger.wire.avro.codec import decode_event

    key = account.encode()
    for record in tools.replay(Topic.EVENTS, only(tools, partition, start)):
        if record.key == key:
            yield _with_signature(decode_event(record.value), record.offset)


def _asked(
    tools: KafkaTools, partition: int, entries: Iterable[Entry], wanted: str
) -> Iterator[tuple[tuple[str, str], Json]]:
    from ledger.log.seam import Topic, only
    from ledger.wire.avro.codec import decode_command

    entry = next((each for each in entries if is_of(each, wanted)), None)
    if entry is None or entry.stood_at is None:
        return
    start = only(tools, partition, entry.stood_at[1])
    record = next(iter(tools.replay(Topic.COMMANDS, start)))
    given = decode_command(record.key, record.value)
    yield (given.meta.account_id, given.meta.command_id), _body_of(given)

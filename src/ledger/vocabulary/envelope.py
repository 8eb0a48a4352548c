"""The envelope of every command and event: who, when and why."""

from __future__ import annotations

from msgspec import Struct

from ledger.values.instants import Instant
from ledger.vocabulary.commands import Command
from ledger.vocabulary.events import Event
from ledger.vocabulary.shapes import Actor

ZERO_HASH = bytes(32)
"""The `prev_hash` of a partition's first event."""
FIRST_EDITION = 1
"""How rules were applied in release 0.1.0."""
NEWEST_EDITION = 2
"""How they are applied in later releases: see `ledger.policies.case.Case.edition`."""


class CommandMeta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who gives a command, for which account, because of what.

    `command_id` is chosen by the publisher, unique in its account. `causation_id` is the event a
    follow-up answers, `correlation_id` the command that began the story. `sandbox_at` is the
    sandbox clock's instant; a ledger that is no sandbox takes no record that has it. `approved_by`
    is the second person of an act that waited for one; it is no part of the content digest.
    """

    command_id: str
    account_id: str
    actor: Actor
    causation_id: str | None = None
    correlation_id: str | None = None
    sandbox_at: Instant | None = None
    approved_by: str | None = None


class EventMeta(Struct, frozen=True, kw_only=True):
    """Where an event stands in the log, and why it is there.

    `sequence` counts the account's events from 1 without a gap, `log_sequence` the partition's from
    0; `prev_hash` is the SHA-256 of the previous event's Avro body in the partition. The command it
    answers stood at `source_partition`/`source_offset` and led to `count` events, of which this is
    number `index` (from 0). `causation_id` is that command's id, `command_digest` the SHA-256 of
    its name, actor and body, `correlation_id` the command that began the story. `recorded_at` is
    the deciding instant, `occurred_at` the business instant, `terms` the version judged under,
    `edition` how the rules were applied then, where that changed without a number of the terms.
    `origin` gave the command, proven by its key `origin_key`, in version `origins` of the table of
    origins; they are empty where that was not proven, or nothing was asked. `approved_by` is the
    second person, empty where none was needed.
    """

    event_id: str
    account_id: str
    sequence: int
    source_partition: int
    source_offset: int
    index: int
    count: int
    log_sequence: int
    prev_hash: bytes
    recorded_at: Instant
    occurred_at: Instant
    causation_id: str
    command_digest: bytes
    correlation_id: str
    actor: Actor
    terms: str
    edition: int = FIRST_EDITION
    origin: str = ""
    origin_key: str = ""
    origins: str = ""
    approved_by: str = ""


class GivenCommand(Struct, frozen=True, kw_only=True):
    """A command with its meta."""

    meta: CommandMeta
    body: Command

    @property
    def name(self) -> str:
        """The command's name on the wire."""
        return type(self.body).__name__


class RecordedEvent(Struct, frozen=True, kw_only=True):
    """An event with its meta, as it is in the log."""

    meta: EventMeta
    body: Event

    @property
    def name(self) -> str:
        """The event's name on the wire."""
        return type(self.body).__name__

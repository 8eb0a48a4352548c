"""Follow-ups: commands that the system sends because of an event, with ids derived from it."""

from __future__ import annotations

from ledger.log.seam import Outgoing, Topic
from ledger.origins.signing import Signer
from ledger.values.ids import follow_up_id, partition_of
from ledger.values.instants import Instant
from ledger.vocabulary.commands import Command
from ledger.vocabulary.envelope import CommandMeta, EventMeta, GivenCommand
from ledger.vocabulary.shapes import Actor, Role
from ledger.wire.avro.codec import encode_command
from ledger.wire.cloud_events import headers_for_command


def follow_up(
    cause: EventMeta, name: str, index: int, body: Command, *, sandbox_at: Instant | None
) -> GivenCommand:
    """The `index`-th command that reaction or timer `name` sends because of an event."""
    return GivenCommand(
        meta=CommandMeta(
            command_id=follow_up_id(cause.event_id, name, index),
            account_id=cause.account_id,
            actor=Actor(id=name, role=Role.SYSTEM),
            causation_id=cause.event_id,
            correlation_id=cause.correlation_id,
            sandbox_at=sandbox_at,
        ),
        body=body,
    )


def command_record(
    given: GivenCommand, partition_count: int, signer: Signer | None = None
) -> Outgoing:
    """The record that carries a command, on its account's partition; signed, if someone signs."""
    meta, value, headers = given.meta, encode_command(given), headers_for_command(given)
    if signer is not None:
        headers = (*headers, *signer.headers(meta.account_id, meta.command_id, value))
    key = meta.account_id.encode()
    return Outgoing(
        topic=Topic.COMMANDS,
        partition=partition_of(key, partition_count),
        key=key,
        value=value,
        headers=headers,
    )

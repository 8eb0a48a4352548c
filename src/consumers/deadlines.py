"""Deadlines: which events put a command to be sent at an instant, and which cancel it. Pure.

State and time are judged by the decider; a deadline only reminds.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from consumers.follow_ups import follow_up
from ledger.commands import (
    Command,
    DestroyIsolatedInstance,
    ExpireInstance,
)
from ledger.envelope import GivenCommand, RecordedEvent
from ledger.events import (
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
)
from ledger.instants import Instant

HEEDED = frozenset(
    kind.__name__
    for kind in (InstanceDestroyed, InstanceIsolated, InstanceOrderRecorded, InstanceRestored)
)
"""The events that put or cancel a deadline; all others may be skipped unread."""


class PutDeadline(Struct, frozen=True, kw_only=True):
    """From `due_at` on the command is to be sent. Takes the place of an earlier one of its id."""

    deadline_id: str
    due_at: Instant
    command: GivenCommand


class CancelDeadline(Struct, frozen=True, kw_only=True):
    """The deadline is off; nothing to cancel is fine too."""

    deadline_id: str


DeadlineChange = PutDeadline | CancelDeadline


def deadline_changes(recorded: RecordedEvent) -> Iterator[DeadlineChange]:
    """What an event does to the deadlines, in order."""
    body, account_id = recorded.body, recorded.meta.account_id
    match body:
        case InstanceOrderRecorded():
            for index, line in enumerate(body.lines):
                expire = ExpireInstance(instance_id=line.instance_id, order_id=body.order_id)
                place = _expiry(account_id, line.instance_id)
                yield _put(recorded, place, index, body.ends_at, expire)
            for isolation_id in body.averted_isolation_ids:
                yield CancelDeadline(deadline_id=_destruction(account_id, isolation_id))
        case InstanceIsolated():
            yield CancelDeadline(deadline_id=_expiry(account_id, body.instance_id))
            destroy = DestroyIsolatedInstance(
                instance_id=body.instance_id, isolation_id=body.isolation_id
            )
            place = _destruction(account_id, body.isolation_id)
            yield _put(recorded, place, 0, body.restore_until, destroy)
        case InstanceRestored():
            yield CancelDeadline(deadline_id=_destruction(account_id, body.isolation_id))
        case InstanceDestroyed():
            yield CancelDeadline(deadline_id=_expiry(account_id, body.instance_id))
            yield CancelDeadline(deadline_id=_destruction(account_id, body.isolation_id))
        case _:
            return


def _put(
    recorded: RecordedEvent, place: str, index: int, due_at: Instant, body: Command
) -> PutDeadline:
    name = type(body).__name__
    command = follow_up(recorded.meta, name, index, body, sandbox_at=None)
    return PutDeadline(deadline_id=place, due_at=due_at, command=command)


def _expiry(account_id: str, instance_id: str) -> str:
    return f"{account_id}/expiry/{instance_id}"


def _destruction(account_id: str, isolation_id: str) -> str:
    return f"{account_id}/destruction/{isolation_id}"

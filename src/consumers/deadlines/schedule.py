"""Deadlines: which events set a command for an instant, and which cancel it. Pure.

A deadline only sends the command; the decider checks state and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from msgspec import Struct

from consumers.follow_ups import follow_up
from ledger.values.ids import follow_up_id
from ledger.values.instants import Day, Instant, start_of_day
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    Command,
    CompleteOverdueMarketplaceRefund,
    DestroyIsolatedInstance,
    ExpireInstance,
    ExpireReservation,
)
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.vocabulary.events import (
    CommandRefused,
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceRestored,
    MarketplaceRefundApproved,
    MarketplaceRefundDeclined,
    MarketplaceRefundHeld,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    ReservationCancelled,
    ReservationExchanged,
    ReservationExpired,
    ReservationPurchased,
    SubjectErased,
)

_ByInstances = InstanceOrderRecorded | InstanceIsolated | InstanceRestored | InstanceDestroyed
_AnswersRequest = (
    MarketplaceRefundWithdrawn
    | MarketplaceRefundApproved
    | MarketplaceRefundDeclined
    | MarketplaceRefundHeld
)
_ByReservations = (
    ReservationPurchased | ReservationExchanged | ReservationCancelled | ReservationExpired
)
HEEDED = frozenset(
    kind.__name__
    for kind in (
        *_ByInstances.__args__,
        MarketplaceRefundRequested,
        *_AnswersRequest.__args__,
        *_ByReservations.__args__,
        CommandRefused,
        SubjectErased,
    )
)
"""The events that change a deadline, or for which keys are destroyed; all others can be skipped
without decoding.
"""


class PutDeadline(Struct, frozen=True, kw_only=True):
    """The command is to be sent from `due_at` on. Replaces an earlier deadline with the same id."""

    deadline_id: str
    due_at: Instant
    command: GivenCommand


class CancelDeadline(Struct, frozen=True, kw_only=True):
    """The deadline is cancelled; it is no error if there is none."""

    deadline_id: str


class SendAgain(Struct, frozen=True, kw_only=True):
    """The command with this id came too early, because a clock was ahead of the broker's. Its
    deadline is to be sent again, with the id of the next attempt.
    """

    command_id: str


class DestroyKeys(Struct, frozen=True, kw_only=True):
    """The account's keys up to this number are to be destroyed, so that its texts are erased."""

    account_id: str
    key_number: int


DeadlineChange = PutDeadline | CancelDeadline | SendAgain | DestroyKeys


def deadline_changes(recorded: RecordedEvent) -> Iterator[DeadlineChange]:
    """The changes that an event makes to the deadlines and to the keys, in order."""
    body = recorded.body
    if isinstance(body, _ByInstances):
        yield from _of_instances(recorded, body)
    elif isinstance(body, MarketplaceRefundRequested):
        if body.due_at is not None:
            complete = CompleteOverdueMarketplaceRefund(
                purchase_id=body.purchase_id, request_id=body.request_id
            )
            place = _completion(recorded, body.request_id)
            yield _put(recorded, place, 0, body.due_at, complete)
    elif isinstance(body, _AnswersRequest):
        yield CancelDeadline(deadline_id=_completion(recorded, body.request_id))
    elif isinstance(body, _ByReservations):
        yield from _of_reservations(recorded, body)
    elif isinstance(body, CommandRefused) and body.violations[0].code is Code.NOT_DUE:
        yield SendAgain(command_id=body.command_id)
    elif isinstance(body, SubjectErased):
        yield DestroyKeys(account_id=recorded.meta.account_id, key_number=body.key_number)


def attempt_id(command: GivenCommand, deadline_id: str, attempt: int) -> str:
    """The id under which a deadline's command is sent for the `attempt`-th time, from 1 on."""
    if attempt == 1:
        return command.meta.command_id
    name = f"{command.name}:{deadline_id}"
    return follow_up_id(command.meta.causation_id or "", name, 0, attempt)


def _of_instances(recorded: RecordedEvent, body: _ByInstances) -> Iterator[DeadlineChange]:
    match body:
        case InstanceOrderRecorded():
            for index, line in enumerate(body.lines):
                expire = ExpireInstance(instance_id=line.instance_id, order_id=body.order_id)
                place = _expiry(recorded, line.instance_id)
                yield _put(recorded, place, index, body.ends_at, expire)
            for isolation_id in body.averted_isolation_ids:
                yield CancelDeadline(deadline_id=_destruction(recorded, isolation_id))
        case InstanceIsolated():
            yield CancelDeadline(deadline_id=_expiry(recorded, body.instance_id))
            destroy = DestroyIsolatedInstance(
                instance_id=body.instance_id, isolation_id=body.isolation_id
            )
            place = _destruction(recorded, body.isolation_id)
            yield _put(recorded, place, 0, body.restore_until, destroy)
        case InstanceRestored():
            yield CancelDeadline(deadline_id=_destruction(recorded, body.isolation_id))
        case InstanceDestroyed():
            yield CancelDeadline(deadline_id=_expiry(recorded, body.instance_id))
            yield CancelDeadline(deadline_id=_destruction(recorded, body.isolation_id))
        case _ as unreachable:
            assert_never(unreachable)


def _of_reservations(recorded: RecordedEvent, body: _ByReservations) -> Iterator[DeadlineChange]:
    match body:
        case ReservationPurchased():
            yield _end_of_term(recorded, 0, body.reservation_id, body.ends_on)
        case ReservationExchanged():
            for leg in body.returned:
                if not leg.quantity_left:
                    yield CancelDeadline(deadline_id=_term(recorded, leg.reservation_id))
            for index, bought in enumerate(body.purchased):
                yield _end_of_term(recorded, index, bought.reservation_id, bought.ends_on)
        case ReservationCancelled():
            if not body.quantity_left:
                yield CancelDeadline(deadline_id=_term(recorded, body.reservation_id))
        case ReservationExpired():
            yield CancelDeadline(deadline_id=_term(recorded, body.reservation_id))
        case _ as unreachable:
            assert_never(unreachable)


def _end_of_term(
    recorded: RecordedEvent, index: int, reservation_id: str, ends_on: Day
) -> PutDeadline:
    expire = ExpireReservation(reservation_id=reservation_id)
    due_at = start_of_day(ends_on, "UTC")
    return _put(recorded, _term(recorded, reservation_id), index, due_at, expire)


def _put(
    recorded: RecordedEvent, place: str, index: int, due_at: Instant, body: Command
) -> PutDeadline:
    name = type(body).__name__
    command = follow_up(recorded.meta, name, index, body, sandbox_at=None)
    return PutDeadline(deadline_id=place, due_at=due_at, command=command)


def _expiry(recorded: RecordedEvent, instance_id: str) -> str:
    return f"{recorded.meta.account_id}/expiry/{instance_id}"


def _destruction(recorded: RecordedEvent, isolation_id: str) -> str:
    return f"{recorded.meta.account_id}/destruction/{isolation_id}"


def _completion(recorded: RecordedEvent, request_id: str) -> str:
    return f"{recorded.meta.account_id}/completion/{request_id}"


def _term(recorded: RecordedEvent, reservation_id: str) -> str:
    return f"{recorded.meta.account_id}/term/{reservation_id}"

"""Deadlines: a timer's command is accepted from its deadline on."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Instance, Purchase, PurchaseStatus, Reservation
from ledger.values.instants import Instant, format_instant, start_of_day
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    CompleteOverdueMarketplaceRefund,
    DestroyIsolatedInstance,
    ExpireInstance,
    ExpireReservation,
)


def not_pending(case: Case) -> Iterator[Violation]:
    """A timer for an application that was answered, or is held, has no effect.

    Source: decided for this ledger. By hand: the buyer withdrew and applied again; the timer of the
    first application: `NOT_PENDING`. A HUMAN_SERVICE (no third day, no timer) likewise.
    """
    if not isinstance(case.command, CompleteOverdueMarketplaceRefund):
        return
    purchase, request_id = case.the(Purchase, case.command.purchase_id), case.command.request_id
    request = purchase.request if purchase.status is PurchaseStatus.REFUND_PENDING else None
    if request is not None and request.request_id == request_id and request.due_at is not None:
        return
    yield violation(
        "deadlines",
        Code.NOT_PENDING,
        Said("purchase {purchase} is {state}: application {request} does not wait for a deadline"),
        purchase=case.command.purchase_id,
        state=purchase.status,
        request=request_id,
    )


def not_due(case: Case) -> Iterator[Violation]:
    """Before the deadline a timer's command is refused. Source: decided for this ledger.

    By hand: destruction due 12 Jan 08:00; sent 07:59:59 by a fast clock: `NOT_DUE`; at 08:00:
    accepted.
    """
    due_at = _due_at(case)
    if due_at is None or case.now >= due_at:
        return
    yield violation(
        "deadlines",
        Code.NOT_DUE,
        Said("{command} is due at {due_at}; send it again then"),
        {"command": case.given.name},
        due_at=format_instant(due_at),
        now=format_instant(case.now),
    )


def _due_at(case: Case) -> Instant | None:
    match case.command:
        case ExpireInstance(instance_id=instance_id):
            return case.the(Instance, instance_id).orders[-1].ends_at
        case DestroyIsolatedInstance(instance_id=instance_id):
            isolation = case.the(Instance, instance_id).isolation
            assert isolation is not None
            return isolation.restore_until
        case CompleteOverdueMarketplaceRefund(purchase_id=purchase_id):
            request = case.the(Purchase, purchase_id).request
            assert request is not None
            return request.due_at
        case ExpireReservation(reservation_id=reservation_id):
            return start_of_day(case.the(Reservation, reservation_id).ends_on, "UTC")
        case _:
            return None

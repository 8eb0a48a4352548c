"""Deadlines: what a timer sends is accepted from its deadline on."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.commands import DestroyIsolatedInstance, ExpireInstance
from ledger.instants import Instant, format_instant
from ledger.policies.case import Case, violation
from ledger.refusal import Code, Violation
from ledger.state.entities import Instance


def not_due(case: Case) -> Iterator[Violation]:
    """Before the deadline a timer's command is refused. Source: decided for this ledger.

    By hand: destruction due 12 Jan 08:00; sent 07:59:59 by a fast clock: `NOT_DUE`; at 08:00: done.
    """
    due_at = _due_at(case)
    if due_at is None or case.now >= due_at:
        return
    yield violation(
        "deadlines",
        Code.NOT_DUE,
        f"{case.given.name} is due at {format_instant(due_at)}; send it again then",
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
        case _:
            return None

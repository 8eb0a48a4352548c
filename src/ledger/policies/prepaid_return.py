"""Prepaid return: a prepaid instance can be returned only before its expiry."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Instance
from ledger.values.instants import Instant, format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    DowngradeInstance,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    ReturnInstance,
)

_BeforeExpiry = QuoteInstanceReturn | ReturnInstance | QuoteInstanceDowngrade | DowngradeInstance


def already_expired(case: Case) -> Iterator[Violation]:
    """A prepaid (包年包月) instance can be returned, or downgraded, before its expiry.

    Source: seed 000.

    By hand: the last order ends 1 Feb 00:00; returned 31 Jan 23:59:59: accepted; at exactly 1 Feb
    00:00: `ALREADY_EXPIRED`, even if the timer has not yet put it into the recycle bin.
    """
    if not isinstance(case.command, _BeforeExpiry):
        return
    instance = case.the(Instance, case.command.instance_id)
    expired_at = _expired_at(instance, case.now)
    if expired_at is None:
        return
    yield violation(
        "prepaid_return",
        Code.ALREADY_EXPIRED,
        Said("instance {instance} expired at {expired_at}; nothing is left to be refunded"),
        instance=instance.instance_id,
        expired_at=format_instant(expired_at),
        now=format_instant(case.now),
    )


def _expired_at(instance: Instance, now: Instant) -> Instant | None:
    if instance.isolation is not None:
        return instance.isolation.isolated_at
    end = instance.orders[-1].ends_at
    return end if now >= end else None

"""What a question about the past must say, worked out the plain way: event after event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.values.instants import DAY, Instant
from ledger.vocabulary import events as e
from ledger.vocabulary.envelope import RecordedEvent

WINDOW = 365 * DAY
CAP_CENTS = 5_000_000


def known(
    events: Iterable[RecordedEvent], as_of: Instant, known_at: Instant
) -> Iterator[RecordedEvent]:
    """The events that had happened by the one instant and were recorded by the other."""
    for event in events:
        if event.meta.occurred_at <= as_of and event.meta.recorded_at <= known_at:
            yield event


def statement(events: Iterable[RecordedEvent]) -> list[tuple[Any, ...]]:
    """(account, line, refund, occurred, recorded, cash, gift, balance) by account, in log order."""
    credits: dict[tuple[str, str], tuple[int, int]] = {}
    lines: dict[str, list[tuple[Any, ...]]] = {}
    for event in events:
        body, account = event.body, event.meta.account_id
        if isinstance(body, e.BalanceCredited):
            moved = credits[account, body.refund_id] = (body.cash, body.gift)
        elif isinstance(body, e.RefundCorrected) and (account, body.refund_id) in credits:
            cash, gift = credits[account, body.refund_id]
            moved = (-cash, -gift)
        else:
            continue
        before = lines.setdefault(account, [])
        balance = sum(moved) + (before[-1][-1] if before else 0)
        place = (account, len(before) + 1, body.refund_id)
        before.append((*place, event.meta.occurred_at, event.meta.recorded_at, *moved, balance))
    return [line for account in sorted(lines) for line in lines[account]]


def balances(events: Iterable[RecordedEvent]) -> dict[str, tuple[int, int]]:
    """Account → cash and gift money."""
    found = list(events)
    sums = {
        event.meta.account_id: (0, 0) for event in found if isinstance(event.body, e.AccountOpened)
    }
    for account, _, _, _, _, cash, gift, _ in statement(found):
        sums[account] = (sums[account][0] + cash, sums[account][1] + gift)
    return sums


def totals(events: Iterable[RecordedEvent], as_of: Instant) -> dict[str, tuple[Any, ...]]:
    """Account → refunds, amount; then used, left, next release and its amount, on both bases."""
    issued: dict[tuple[str, str], tuple[Instant, e.RefundIssued]] = {}
    corrected: dict[tuple[str, str], e.RefundCorrected] = {}
    accounts = []
    for event in events:
        account = event.meta.account_id
        if isinstance(event.body, e.AccountOpened):
            accounts.append(account)
        if isinstance(event.body, e.RefundIssued):
            issued[account, event.body.refund_id] = (event.meta.recorded_at, event.body)
        if isinstance(event.body, e.RefundCorrected):
            corrected[account, event.body.refund_id] = event.body
    found: dict[str, tuple[Any, ...]] = {}
    for account in accounts:
        young = [
            (at, body, corrected.get((account, body.refund_id)))
            for (owner, _), (at, body) in issued.items()
            if owner == account and as_of - at < WINDOW
        ]
        amounts = [body.amount for _, body, taken_back in young if taken_back is None]
        caps = [
            (at, body.cap)
            for at, body, taken_back in young
            if body.cap is not None and not (taken_back and taken_back.cap_restored)
        ]
        refund = _basis([(at, cap.refund_usd) for at, cap in caps])
        commitment = _basis([(at, cap.cancelled_commitment_usd) for at, cap in caps])
        found[account] = (len(amounts), sum(amounts), *refund, *commitment)
    return found


def _basis(uses: list[tuple[Instant, int]]) -> tuple[int | None, int, Instant | None, int | None]:
    if not uses:
        return None, CAP_CENTS, None, None
    used = sum(cents for _, cents in uses)
    oldest = min((at for at, cents in uses if cents), default=None)
    released = sum(cents for at, cents in uses if at == oldest) if oldest is not None else None
    release = None if oldest is None else oldest + WINDOW
    return used, max(0, CAP_CENTS - used), release, released


def recycle_bin(events: Iterable[RecordedEvent], as_of: Instant) -> dict[str, tuple[Any, ...]]:
    """Isolation → instance, state, micros left, averting order, restored, destroyed, refund."""
    stays: dict[str, dict[str, Any]] = {}
    refunds: dict[tuple[str, str], str] = {}
    for event in events:
        body, meta = event.body, event.meta
        if isinstance(body, e.InstanceIsolated):
            for stay in stays.values():
                same = (stay["account"], stay["instance"]) == (meta.account_id, body.instance_id)
                if same and stay["state"] == "ISOLATED":
                    stay["state"] = "ISOLATED_ANEW"
            stays[body.isolation_id] = {
                "account": meta.account_id,
                "instance": body.instance_id,
                "state": "ISOLATED",
                "left": max(0, body.restore_until - as_of),
                "command": meta.causation_id if body.reason == "RETURNED" else "",
            }
        elif isinstance(body, e.InstanceOrderRecorded):
            for isolation in body.averted_isolation_ids:
                if isolation in stays:
                    stays[isolation]["averted"] = body.order_id
        elif isinstance(body, e.InstanceRestored) and body.isolation_id in stays:
            ended = {"state": "RESTORED", "restored": body.restored_at, "left": None}
            stays[body.isolation_id].update(ended)
        elif isinstance(body, e.InstanceDestroyed) and body.isolation_id in stays:
            ended = {"state": "DESTROYED", "destroyed": meta.occurred_at, "left": None}
            stays[body.isolation_id].update(ended)
        elif isinstance(body, e.RefundIssued):
            refunds[meta.account_id, meta.causation_id] = body.refund_id
    columns = ("instance", "state", "left", "averted", "restored", "destroyed")
    return {
        isolation: (
            *(stay.get(column) for column in columns),
            refunds.get((stay["account"], stay["command"])),
        )
        for isolation, stay in stays.items()
    }

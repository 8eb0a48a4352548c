"""The stations of a refund: asked, issued, sent, and arrived or held; and the card's attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from console.web.pages.rendering.languages import N_
from ledger.values.instants import format_instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    BalanceCredited,
    CardRefundRequested,
    CommitmentCredited,
    CreditHeld,
    CreditMemoIssued,
    Event,
    GatewayAnswerRecorded,
    RefundHeld,
    RefundOverpaid,
    RefundSettled,
)

_SENDS = (BalanceCredited, CommitmentCredited, CreditMemoIssued, CreditHeld, CardRefundRequested)
_ANSWERS = (RefundSettled, RefundHeld, RefundOverpaid, GatewayAnswerRecorded)
Row = Mapping[str, Any]


class Reached(StrEnum):
    """Whether a refund has been at a station."""

    DONE = "done"
    NEXT = "next"
    STOPPED = "stopped"


class Station(Struct, frozen=True, kw_only=True):
    """A station with the instant at which the refund was there, and what is known of it."""

    name: str
    reached: Reached
    at: str | None = None
    event: str = ""
    note: str = ""


class Attempt(Struct, frozen=True, kw_only=True):
    """A card refund that was asked of the gateway, and every answer to it."""

    number: int
    card_id: str
    asked_at: str
    answers: tuple[Row, ...]


def stations_of(
    refund: Row, events: Sequence[RecordedEvent], requested_at: str | None
) -> tuple[Station, ...]:
    """The stations of a refund, a row of `finance.refunds`, in their order.

    `requested_at` is when a buyer applied; without one it was asked for when it was decided.
    """
    issued = next((e for e in events if e.meta.causation_id == refund["command_id"]), None)
    actor = "" if issued is None else f"{issued.meta.actor.role} {issued.meta.actor.id}"
    sent = next((e for e in events if isinstance(e.body, _SENDS)), None)
    asked_at = requested_at or refund["issued_at"]
    return (
        Station(name=N_("Asked"), reached=Reached.DONE, at=asked_at, note=actor),
        Station(
            name=N_("Issued"),
            reached=Reached.DONE,
            at=refund["issued_at"],
            note=refund["rule"] or "",
        ),
        _sent(refund, sent),
        _last(refund, sent is not None),
    )


def _sent(refund: Row, sent: RecordedEvent | None) -> Station:
    if sent is not None:
        at = format_instant(sent.meta.recorded_at)
        return Station(name=N_("Sent"), reached=Reached.DONE, at=at, event=sent.name)
    if refund["settled_at"] is not None:
        return Station(name=N_("Sent"), reached=Reached.DONE, at=refund["settled_at"])
    waits = Reached.STOPPED if refund["state"] in {"HELD", "CORRECTED"} else Reached.NEXT
    return Station(name=N_("Sent"), reached=waits)


def _last(refund: Row, sent: bool) -> Station:
    if refund["corrected_at"] is not None:
        return Station(
            name=N_("Corrected"),
            reached=Reached.STOPPED,
            at=refund["corrected_at"],
            note=refund["corrected_because"] or "",
        )
    if refund["state"] == "HELD":
        return Station(name=N_("Held"), reached=Reached.STOPPED, note=refund["held_because"] or "")
    if refund["settled_at"] is not None:
        return Station(name=N_("Arrived"), reached=Reached.DONE, at=refund["settled_at"])
    expected = refund["expected_arrival_at"] or ""
    return Station(name=N_("Arrived"), reached=Reached.NEXT, note=expected if sent else "")


def attempts_of(events: Iterable[RecordedEvent]) -> tuple[Attempt, ...]:
    """The card refunds asked for, in their order; an answer of release 0.1.0 names none and is
    that of the last one asked for before it.
    """
    asked: list[tuple[int, str, str]] = []
    answers: dict[int, list[Row]] = {}
    for event in events:
        body = event.body
        if isinstance(body, CardRefundRequested):
            number = body.attempt or len(asked) + 1
            asked.append((number, body.card_id, format_instant(event.meta.recorded_at)))
        elif isinstance(body, _ANSWERS) and asked:
            answers.setdefault(body.attempt or asked[-1][0], []).append(_answer(event))
    return tuple(
        Attempt(number=number, card_id=card, asked_at=at, answers=tuple(answers.get(number, ())))
        for number, card, at in asked
    )


def _answer(event: RecordedEvent) -> Row:
    body: Event = event.body
    said = (getattr(body, name, None) for name in ("answer", "gateway_reason", "reason"))
    return {
        "event": event.name,
        "at": format_instant(event.meta.recorded_at),
        "reference": getattr(body, "gateway_reference", None) or "",
        "said": ", ".join(str(each) for each in said if each),
    }

"""How each card refund that was asked for is remembered, with what the gateway said of it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ledger.state.entities import CardAttempt, Refund


def number_of(refund: Refund, named: int | None) -> int:
    """The attempt that an answer is of: the one it names, or else the last; 0 where there is none.

    By hand: asked twice, an answer without `attempt`: 2.
    """
    return len(refund.attempts) if named is None else named


def under_way(refund: Refund) -> int | None:
    """The attempt that the gateway has not answered; it can only be the last one.

    The next one is asked for once the last was called failed.
    """
    if refund.attempts and refund.attempts[-1] == CardAttempt():
        return len(refund.attempts)
    return None


def references_paid(refund: Refund) -> frozenset[str]:
    """Each is a payment of the gateway: of whichever attempts it was given for."""
    return frozenset(name for attempt in refund.attempts for name in attempt.confirmed)


def asked(refund: Refund) -> Refund:
    """With one attempt more."""
    return replace(refund, attempts=(*refund.attempts, CardAttempt()))


def confirmed(refund: Refund, named: int | None, reference: str) -> Refund:
    """With the answer that an attempt was paid."""
    return _answered(refund, named, lambda one: replace(one, confirmed=(*one.confirmed, reference)))


def failed(refund: Refund, named: int | None, reference: str) -> Refund:
    """With the answer that an attempt was not paid."""
    return _answered(refund, named, lambda one: replace(one, failed=(*one.failed, reference)))


def _answered(
    refund: Refund, named: int | None, told: Callable[[CardAttempt], CardAttempt]
) -> Refund:
    number = number_of(refund, named)
    changed = (
        told(attempt) if place == number else attempt
        for place, attempt in enumerate(refund.attempts, start=1)
    )
    return replace(refund, attempts=tuple(changed))

"""What an account brings along, and what may be said of it later."""

from __future__ import annotations

from ledger.values.instants import DAY, HOUR, day_of
from ledger.vocabulary.commands import (
    ChangeCard,
    OpenCommitmentTerm,
    RecordOpeningPosition,
    SetAccountStanding,
)
from ledger.vocabulary.shapes import ByFund, OpeningCapUse, OpeningCredit
from tests.properties.world import World


def brought(w: World, a: int, b: int, amount: int) -> None:
    """An opening position: too late, or a second one, unless nothing came before it."""
    uses = tuple(
        OpeningCapUse(
            reference=f"old-{number}",
            refunded_at=w.s.now - (number * (1 + b) * 7 * DAY) - a * HOUR + (a == b == 63),
            refund_usd=amount % 90_000,
            cancelled_commitment_usd=amount % 110_000,
        )
        for number in range(a % 4)
    )
    credits = tuple(
        OpeningCredit(credit_id=f"k-{number}", amount=amount * (1 + number))
        for number in range(b % 3)
    )
    w.give(
        RecordOpeningPosition(
            as_of=w.s.now - b * DAY,
            full_refunds_used=a % 2,
            ordinary_returns_used=b % 5,
            marketplace_refunds_issued=a % 4,
            cap_uses=uses,
            balance=ByFund(cash=amount * (a % 2), gift=amount * (b % 2)),
            held_credits=credits,
            currency=w.currency,
        )
    )


def of_account(w: World, a: int, b: int, amount: int) -> None:
    match a % 8:
        case 0 | 4:
            w.give(SetAccountStanding(in_arrears=b % 2 == 0))
        case 1 | 5:
            w.give(ChangeCard(card_id=f"k-{b % 3}"))
        case 7:
            brought(w, a, b, amount)
        case _:
            today = day_of(w.s.now, "UTC")
            w.give(
                OpenCommitmentTerm(
                    term_id=f"t-{1 + b % 3}",
                    starts_on=max(0, today - b),
                    ends_on=today + 10 * b + 1,
                    amount=10**6,
                    currency=w.currency,
                )
            )

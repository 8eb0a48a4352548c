"""Opening positions for stories, empty where nothing is said."""

from __future__ import annotations

from ledger.values.instants import Instant
from ledger.values.money import Minor
from ledger.vocabulary.commands import RecordOpeningPosition
from ledger.vocabulary.shapes import ByFund, OpeningCapUse, OpeningCredit
from tests.bodies import instant
from tests.scenario import START


def position(
    *,
    as_of: str | Instant = START,
    quotas: tuple[int, int, int] = (0, 0, 0),
    uses: tuple[OpeningCapUse, ...] = (),
    cash: Minor = 0,
    gift: Minor = 0,
    credits: tuple[tuple[str, Minor], ...] = (),
    currency: str = "CNY",
) -> RecordOpeningPosition:
    """What the account brings along: quotas are full, ordinary and marketplace refunds."""
    full, ordinary, marketplace = quotas
    return RecordOpeningPosition(
        as_of=instant(as_of),
        full_refunds_used=full,
        ordinary_returns_used=ordinary,
        marketplace_refunds_issued=marketplace,
        cap_uses=uses,
        balance=ByFund(cash=cash, gift=gift),
        held_credits=tuple(OpeningCredit(credit_id=one, amount=left) for one, left in credits),
        currency=currency,
    )


def use(
    refund: Minor, commitment: Minor | None = None, *, at: str | Instant, reference: str = "old-1"
) -> OpeningCapUse:
    """A refund of the other system; as commitment it counts the same unless said otherwise."""
    return OpeningCapUse(
        reference=reference,
        refunded_at=instant(at),
        refund_usd=refund,
        cancelled_commitment_usd=refund if commitment is None else commitment,
    )

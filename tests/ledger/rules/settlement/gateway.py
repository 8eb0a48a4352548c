"""A refund of 365.00 to a card, and what the gateway may say of it."""

from __future__ import annotations

from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund, SettleRefund
from ledger.vocabulary.shapes import Payment, PaymentMethod, Role
from tests.ledger.rules.settlement.stories import by_card, given_back, settle
from tests.scenario import Scenario

AMOUNT = 36_500
CARD_ALONE = Payment(method=PaymentMethod.CARD, card_id="k-1")


def confirms(
    refund_id: str, reference: str = "g-1", attempt: int | None = None, reason: str | None = None
) -> ConfirmCardRefund:
    """It was paid."""
    return ConfirmCardRefund(
        refund_id=refund_id, gateway_reference=reference, attempt=attempt, reason=reason
    )


def fails(
    refund_id: str, reference: str = "g-1", attempt: int | None = None, reason: str | None = None
) -> FailCardRefund:
    """It was not."""
    return FailCardRefund(
        refund_id=refund_id, gateway_reference=reference, attempt=attempt, reason=reason
    )


def asked() -> tuple[Scenario, str]:
    """The gateway was asked once, and has not answered."""
    s = by_card(payment=CARD_ALONE)
    refund_id = given_back(s).refund_id
    settle(s, refund_id)
    return s, refund_id


def failed() -> tuple[Scenario, str]:
    """Attempt 1 ran out of time and was called failed."""
    s, refund_id = asked()
    s.give(fails(refund_id, "t-1", 1, "timed out"))
    return s, refund_id


def asked_again() -> tuple[Scenario, str]:
    """And support has asked once more, for card k-2, as attempt 2."""
    s, refund_id = failed()
    s.give(SettleRefund(refund_id=refund_id, card_id="k-2"), role=Role.SUPPORT)
    return s, refund_id

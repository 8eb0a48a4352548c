"""Whatever is refunded, exchanged, settled, answered and corrected, in any order: money adds up."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.state.entities import Refund, RefundStatus
from ledger.values.instants import DAY
from ledger.vocabulary.commands import ConfirmCardRefund, FailCardRefund, SettleRefund
from ledger.vocabulary.events import RefundOverpaid
from ledger.vocabulary.shapes import AccountType, Payment, PaymentMethod, Role
from tests.ledger.rules.reservations.stories import act, back, bought, exchange, holding, new
from tests.ledger.rules.settlement.stories import BY_CARD, correct, net, on_invoice
from tests.scenario import Scenario

ONCE_CARD = Payment(method=PaymentMethod.CARD, card_id="k-1")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("refund", "buy", "exchange", "settle", "settle", "confirm", "fail", "correct")
        ),
        st.integers(min_value=0, max_value=30),
    ),
    min_size=4,
    max_size=30,
)
SUPPORT = Role.SUPPORT
Answer = TypeVar("Answer", ConfirmCardRefund, FailCardRefund)
OWED = (RefundStatus.ISSUED, RefundStatus.HELD)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(account_type=st.sampled_from([AccountType.CSP, AccountType.PAYG_CARD]), steps=STEPS)
def test_every_ledger_account_says_what_the_state_says(
    account_type: AccountType, steps: list[tuple[str, int]]
) -> None:
    card = account_type is AccountType.PAYG_CARD
    payment = BY_CARD if card else on_invoice("inv-1")
    s = holding(bought(30_001, quantity=7, payment=payment), account_type=account_type)
    for number, (step, choice) in enumerate(steps):
        s.later(DAY)
        take(s, step, choice, f"n-{number}", ONCE_CARD if card else on_invoice(f"inv-{choice}"))
    refunds = [one for one in s.state.entities().values() if isinstance(one, Refund)]
    standing, account = net(s), s.the_account()
    held = sum(credit.left for credit in s.held_credits()) - account.credit_overdrawn
    assert sum(standing.values()) == 0
    assert -standing.get("refund_payable", 0) == total(refunds, *OWED)
    assert -standing.get("card_transit", 0) == total(refunds, RefundStatus.SETTLING)
    assert -standing.get("held_credit", 0) == held
    overpaid = [event.body for event in s.recorded if isinstance(event.body, RefundOverpaid)]
    assert standing.get("customer_receivable", 0) <= sum(body.amount for body in overpaid)
    everything = [status for status in RefundStatus if status is not RefundStatus.CORRECTED]
    assert standing.get("refunds", 0) == total(refunds, *everything)
    assert s.folded().entities() == s.state.entities()


def total(refunds: list[Refund], *statuses: RefundStatus) -> int:
    return sum(refund.amount for refund in refunds if refund.status in statuses)


def take(s: Scenario, step: str, choice: int, fresh: str, payment: Payment) -> None:
    """One step on something that is there; it may well be refused."""
    entities = s.state.entities()
    refund_ids = sorted(key.entity_id for key in entities if key.kind is Refund) or ["none"]
    refund_id = refund_ids[choice % len(refund_ids)]
    card_id = "k-2" if choice % 2 else None
    match step:
        case "refund":
            s.give(act("r-1", 1 + choice % 2), role=Role.SUPPORT)
        case "buy":
            s.give(bought(1_000 * choice + 1, fresh, payment=payment))
        case "exchange":
            s.give(exchange((back("r-1", 1),), (new(9_000, fresh, payment=payment),)), role=SUPPORT)
        case "settle":
            s.give(SettleRefund(refund_id=refund_id, card_id=card_id), role=SUPPORT)
            s.give(SettleRefund(refund_id=refund_id), role=Role.SYSTEM)
        case "confirm":
            s.give(_answer(ConfirmCardRefund, refund_id, choice))
        case "fail":
            s.give(_answer(FailCardRefund, refund_id, choice))
        case _:
            s.give(correct(refund_id, quota=True, cap=True))


def _answer(kind: type[Answer], refund_id: str, choice: int) -> Answer:
    """Of the last attempt or of one that is named, under few references."""
    attempt = (None, 1, 2, 1)[choice % 4]
    return kind(refund_id=refund_id, gateway_reference=f"g-{choice % 5}", attempt=attempt)

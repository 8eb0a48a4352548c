"""Properties: no purchase gives back more than was paid, whatever order the commands come in."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.values.instants import HOUR
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    CompleteOverdueMarketplaceRefund,
    ConfirmService,
    DeclineMarketplaceRefund,
    RecordInvoiceState,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import AccessRevoked, RefundIssued
from ledger.vocabulary.shapes import Funds, InvoiceState, ProductKind, Role, Side
from tests.ledger.rules.marketplace.stories import application, purchase, request_id, ticket
from tests.scenario import Scenario, role_for

FUNDS = st.builds(
    Funds, cash=st.integers(0, 500), gift=st.integers(0, 500), voucher=st.integers(0, 50)
)
IDS = ("p-1", "p-2")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["apply", "withdraw", "approve", "decline", "timer", "confirm", "invoice"])
        | st.just("ticket"),
        st.sampled_from(IDS),
        st.integers(0, 300),
        st.sampled_from(InvoiceState),
        st.integers(0, 40),
    ),
    max_size=30,
)


@settings(derandomize=True, deadline=None)
@given(
    funds=st.tuples(FUNDS, FUNDS), kinds=st.tuples(*[st.sampled_from(ProductKind)] * 2), steps=STEPS
)
def test_never_more_than_paid_in_total_and_by_fund(
    funds: tuple[Funds, Funds],
    kinds: tuple[ProductKind, ...],
    steps: list[tuple[str, str, int, InvoiceState, int]],
) -> None:
    s = Scenario().opened()
    for purchase_id, kind, paid in zip(IDS, kinds, funds, strict=True):
        s.give(purchase(purchase_id, kind, paid))
    for name, purchase_id, amount, state, hours in steps:
        command = _command(s, name, purchase_id, amount, state)
        actor = "v-1" if role_for(command) is Role.VENDOR else "u-1"
        s.later(hours * HOUR).give(command, actor_id=actor)
    _never_overpaid(s, dict(zip(IDS, funds, strict=True)))
    _counted_right(s)
    assert s.folded().entities() == s.state.entities()


@settings(derandomize=True, deadline=None)
@given(paid=FUNDS, amounts=st.lists(st.integers(1, 400), max_size=20))
def test_manual_refunds_exhaust_both_funds_exactly(paid: Funds, amounts: list[int]) -> None:
    s = Scenario().opened()
    s.give(purchase(funds=paid))
    left = paid.cash + paid.gift
    for amount in amounts:
        s.give(ticket(min(amount, left)))
        left -= min(amount, left)
    s.give(ticket(left))
    refunds = [event.body for event in s.recorded if isinstance(event.body, RefundIssued)]
    assert sum(refund.parts.cash or 0 for refund in refunds) == paid.cash
    assert sum(refund.parts.gift or 0 for refund in refunds) == paid.gift


def _command(s: Scenario, name: str, purchase_id: str, amount: int, state: InvoiceState) -> Command:
    match name:
        case "apply":
            return application(purchase_id)
        case "withdraw":
            return WithdrawMarketplaceRefund(purchase_id=purchase_id)
        case "approve":
            return ApproveMarketplaceRefund(purchase_id=purchase_id)
        case "decline":
            return DeclineMarketplaceRefund(purchase_id=purchase_id)
        case "timer":
            request = next(iter([request_id(s)] if _asked(s) else ["r-0"]))
            return CompleteOverdueMarketplaceRefund(purchase_id=purchase_id, request_id=request)
        case "confirm":
            return ConfirmService(purchase_id=purchase_id)
        case "invoice":
            return RecordInvoiceState(purchase_id=purchase_id, invoice_state=state)
        case _:
            return ticket(amount, purchase_id)


def _asked(s: Scenario) -> bool:
    return any(event.name == "MarketplaceRefundRequested" for event in s.recorded)


def _never_overpaid(s: Scenario, paid: dict[str, Funds]) -> None:
    cash: Counter[str] = Counter()
    gift: Counter[str] = Counter()
    for event in s.recorded:
        if isinstance(event.body, RefundIssued):
            refund = event.body
            assert refund.parts.cash is not None
            assert refund.parts.gift is not None
            assert min(refund.parts.cash, refund.parts.gift) >= 0
            assert refund.parts.cash + refund.parts.gift == refund.amount
            cash[refund.source.id] += refund.parts.cash
            gift[refund.source.id] += refund.parts.gift
            signs = {Side.DEBIT: 1, Side.CREDIT: -1}
            assert sum(signs[line.side] * line.amount for line in refund.postings) == 0
    assert all(cash[one] <= funds.cash for one, funds in paid.items())
    assert all(gift[one] <= funds.gift for one, funds in paid.items())


def _counted_right(s: Scenario) -> None:
    """The quota's counters equal a naive recount; access ends once for every refunded purchase."""
    bodies = [event.body for event in s.recorded]
    named = Counter(event.name for event in s.recorded)
    spent = sum(isinstance(body, RefundIssued) and body.quota_spent for body in bodies)
    ended = named["MarketplaceRefundWithdrawn"] + named["MarketplaceRefundDeclined"] + spent
    account = s.the_account()
    assert account.marketplace_refunds_issued == spent
    assert account.marketplace_refunds_pending == named["MarketplaceRefundRequested"] - ended
    assert spent <= 4
    revoked = [body.purchase_id for body in bodies if isinstance(body, AccessRevoked)]
    refunded = {body.source.id for body in bodies if isinstance(body, RefundIssued)}
    assert sorted(revoked) == sorted(refunded)

"""Settlement of an ONLINE account's refund: to its balance, cash and gift money apart, once."""

from __future__ import annotations

from ledger.postings import balance_credited
from ledger.state.entities import Refund, RefundStatus
from ledger.values.instants import MINUTE
from ledger.values.refusal import Code
from ledger.vocabulary.commands import SettleRefund
from ledger.vocabulary.events import BalanceCredited, RefundSettled
from ledger.vocabulary.shapes import Role
from tests.bodies import paid
from tests.ledger.rules.instances.acts import bought, returned, settle


def test_the_balance_is_credited_by_fund_and_the_refund_settled() -> None:
    s = bought(paid(20_000, 20_796))
    refund = returned(s)
    settle(s, refund).then(
        BalanceCredited(
            refund_id=refund.refund_id,
            cash=20_000,
            gift=20_796,
            expected_arrival_at=s.now + 30 * MINUTE,
            postings=balance_credited(20_000, 20_796),
            currency="CNY",
        ),
        RefundSettled(refund_id=refund.refund_id, currency="CNY"),
    )
    kept = s.state.find(Refund, s.account, refund.refund_id)
    assert kept is not None
    assert kept.status is RefundStatus.SETTLED
    assert kept.postings == (*refund.postings, *balance_credited(20_000, 20_796))


def test_it_is_settled_once() -> None:
    s = bought()
    refund = returned(s)
    command = SettleRefund(refund_id=refund.refund_id)
    s.give(command, id="f-1")
    s.when(command, id="f-1").then()
    violation = s.when(command, id="f-2").refused(Code.WRONG_STATE).violations[0]
    assert violation.figures == {"refund": refund.refund_id, "state": "SETTLED"}


def test_a_refund_of_nothing_needs_no_settling() -> None:
    s = bought(paid(voucher=100))
    refund = returned(s)
    settle(s, refund).refused(Code.WRONG_STATE)


def test_only_the_system_and_support_settle() -> None:
    s = bought()
    command = SettleRefund(refund_id=returned(s).refund_id)
    s.when(command, role=Role.OWNER).refused(Code.FORBIDDEN)
    assert len(s.give(command, role=Role.SUPPORT)) == 2

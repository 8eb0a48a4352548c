"""Manual refund (人工退款): an agreed amount, divided so that no fund gets more than was paid."""

from __future__ import annotations

from fractions import Fraction

from ledger.calculations.figures import RefundFigures
from ledger.calculations.working import amount, step
from ledger.state.entities import Purchase
from ledger.values.money import Currency, Minor, round_half_up
from ledger.vocabulary.shapes import Parts, RefundRule


def manual_refund(
    purchase: Purchase, agreed: Minor, ticket: str, currency: Currency
) -> RefundFigures:
    """The agreed amount by fund, at most the amount paid less earlier refunds.

    Source: seed 001 (人工退款, 提交工单). The cash of all refunds so far is the half-up cash share
    of their sum; this one's cash is that less the cash refunded before, gift money the remainder.

    By hand: paid 100.00 cash and 200.00 gift, 0.01 agreed three times: cash of 0.01, 0.02, 0.03 is
    0.00, 0.01, 0.01 (half up of 1/3, 2/3, 1), so the parts are 0.00+0.01, 0.01+0.00, 0.00+0.01.
    """
    cash = _cash_part(purchase, agreed)
    parts = Parts(cash=cash, gift=agreed - cash)
    paid, before = purchase.paid, purchase.refunded_cash + purchase.refunded_gift
    working = (
        step(
            "manual_refund",
            f"cash {amount(cash, currency)}, gift {amount(agreed - cash, currency)}",
            ticket=ticket,
            agreed=amount(agreed, currency),
            paid_cash=amount(paid.cash, currency),
            paid_gift=amount(paid.gift, currency),
            refunded_before=amount(before, currency),
            refunded_cash_before=amount(purchase.refunded_cash, currency),
            rounding="cash of all refunds so far half up, less the cash before; gift the remainder",
        ),
    )
    return RefundFigures(
        rule=RefundRule.MARKETPLACE_MANUAL,
        gross=agreed,
        fee=0,
        amount=agreed,
        parts=parts,
        working=working,
    )


def _cash_part(purchase: Purchase, agreed: Minor) -> Minor:
    """Within what is left of either fund: the half-up share of a sum of at most all that was paid
    is at most the cash paid, and at least that sum less the gift money paid. Once an earlier refund
    is corrected it can come out below 0 or above what was agreed.
    """
    paid = purchase.paid.cash + purchase.paid.gift
    so_far = purchase.refunded_cash + purchase.refunded_gift + agreed
    cash = round_half_up(Fraction(so_far * purchase.paid.cash, paid)) - purchase.refunded_cash
    return max(0, min(cash, agreed))

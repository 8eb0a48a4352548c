"""Paid only: all that was paid goes back by fund, less what went back before; never the coupon."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.calculations.paid_only import paid_only
from ledger.vocabulary.shapes import Parts
from tests.ledger.rules.marketplace.stories import bought, the_purchase


def test_what_went_back_before_is_taken_off_fund_by_fund() -> None:
    purchase = replace(the_purchase(bought()), refunded_cash=8_000, refunded_gift=4_000)
    found = paid_only(purchase, "CNY")
    assert (found.amount, found.parts) == (18_000, Parts(cash=12_000, gift=6_000))
    paid, refund = found.working
    assert paid.inputs["voucher_not_returned"] == "50.00 CNY"
    assert paid.result == "300.00 CNY"
    assert refund.inputs["refunded_before"] == "120.00 CNY"
    assert refund.result == "180.00 CNY"

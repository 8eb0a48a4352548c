"""Reservation refund: the figures of a reservation's refund."""

from __future__ import annotations

from ledger.calculations.figures import CapRoom, RefundFigures, ReturnFigures
from ledger.calculations.refund_cap import cap_use, counted
from ledger.calculations.termination_fee import termination_fee
from ledger.calculations.working import amount, decimal_text, step
from ledger.terms.table import Terms
from ledger.values.instants import format_instant
from ledger.values.money import Currency
from ledger.vocabulary.shapes import CapUse, Parts, RefundRule, WorkingStep


def reservation_refund(
    returned: ReturnFigures,
    *,
    usd_rate: str,
    room: CapRoom,
    currency: Currency,
    terms: Terms,
) -> RefundFigures:
    """The prorated value less the fee, to the original payment, and what it uses of the cap.

    Source: seed 003. By hand: prorated 50.00, fee 0.00 → 50.00, counting 50.00 USD at the rate 1.
    """
    fee = termination_fee(returned.value, terms.termination_fee)
    refund = returned.value - fee
    use = cap_use(refund, returned.later_instalments, usd_rate, currency)
    working = (
        *returned.working,
        step(
            "termination_fee",
            amount(fee, currency),
            rate=decimal_text(terms.termination_fee),
            prorated=amount(returned.value, currency),
        ),
        step(
            "refund",
            amount(refund, currency),
            gross=amount(returned.value, currency),
            fee=amount(fee, currency),
        ),
        _cap_use(use, returned, refund_text=amount(refund, currency), currency=currency),
        _cap_room(use, room, terms),
    )
    return RefundFigures(
        rule=RefundRule.RESERVATION_REFUND,
        gross=returned.value,
        fee=fee,
        amount=refund,
        parts=Parts(original=refund),
        working=working,
        cap=use,
        cap_room=room,
        returned=returned,
    )


def _cap_use(
    use: CapUse, returned: ReturnFigures, *, refund_text: str, currency: Currency
) -> WorkingStep:
    return step(
        "cap_use",
        f"refund {amount(use.refund_usd, 'USD')}, "
        f"cancelled commitment {amount(use.cancelled_commitment_usd, 'USD')}",
        refund=refund_text,
        cancelled_instalments=amount(returned.later_instalments, currency),
        usd_rate=use.rate,
        rounding="half up to the cent",
    )


def _cap_room(use: CapUse, room: CapRoom, terms: Terms) -> WorkingStep:
    counts = counted(use, terms.cap_basis)
    inputs = {
        "basis": str(terms.cap_basis),
        "counts": amount(counts, "USD"),
        "limit": amount(room.limit, "USD"),
        "consumed": amount(room.consumed, "USD"),
        "left_before": amount(room.left, "USD"),
    }
    if room.next_release_at is not None:
        inputs["next_release_at"] = format_instant(room.next_release_at)
        inputs["next_release"] = amount(room.next_release, "USD")
    left = room.left - counts
    result = f"left {amount(left, 'USD')}" if left >= 0 else f"{amount(-left, 'USD')} too much"
    return step("refund_cap", result, **inputs)

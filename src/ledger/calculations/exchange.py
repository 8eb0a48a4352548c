"""Exchange: the figures of an exchange of reservations for new ones."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.calculations.figures import ExchangeFigures, ReturnFigures
from ledger.calculations.working import amount, step
from ledger.values.money import Currency, Minor
from ledger.vocabulary.shapes import NewReservation


def exchange(
    returned: Sequence[ReturnFigures], bought: Sequence[NewReservation], currency: Currency
) -> ExchangeFigures:
    """The returned value, the full new price, and the payable difference; no fee, no cap.

    Source: seed 003 (每天按比例分摊的保留金额退款; 新购买完全收费; 没有损失或每年限制). By hand:
    paid 19,800.00, prorated 3,960.00 returned; new total 19,800.00: payable 15,840.00.
    """
    back = sum(leg.value for leg in returned)
    new = sum(one.total for one in bought)
    remaining = sum(leg.remaining_commitment for leg in returned)
    values = _listed([(leg.reservation_id, leg.value) for leg in returned], currency)
    totals = _listed([(one.reservation_id, one.total) for one in bought], currency)
    working = (
        *(shown for leg in returned for shown in leg.working),
        step("returned_total", amount(back, currency), values=values),
        step("purchased_total", amount(new, currency), totals=totals),
        step(
            "at_least_as_much",
            f"{amount(new, currency)} against {amount(remaining, currency)}",
            purchased_total=amount(new, currency),
            remaining_commitment=amount(remaining, currency),
        ),
        step(
            "payable",
            amount(new - back, currency),
            purchased_total=amount(new, currency),
            returned_total=amount(back, currency),
        ),
    )
    return ExchangeFigures(
        returned=tuple(returned),
        returned_total=back,
        purchased_total=new,
        remaining_commitment=remaining,
        working=working,
    )


def _listed(amounts: Sequence[tuple[str, Minor]], currency: Currency) -> str:
    return "; ".join(f"{one} {amount(minor, currency)}" for one, minor in amounts)

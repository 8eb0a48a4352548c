"""Opening position: what went back before the ledger was adopted, and what was paid for by then."""

from __future__ import annotations

from ledger.calculations.prorated_value import current_period
from ledger.values.instants import Day, Instant, day_of
from ledger.vocabulary.events import ReservationPurchased
from ledger.vocabulary.shapes import BillingPlan


def returned_instalment(bought: ReservationPurchased, today: Day) -> int | None:
    """The payment that the parts given back before count in: the one that runs, if in any.

    Source: decided for this ledger. Paid upfront there is one. Paid monthly, parts of which nothing
    of the running instalment was refunded went back in an earlier one. By hand: 10 for a year from
    5 January, paid monthly, recorded on 10 March, 4 returned and 12.00 refunded: instalment 3; 4
    returned and nothing refunded: none, so that only 6 have been paid since.
    """
    if not bought.returned_quantity:
        return None
    if bought.billing_plan is BillingPlan.MONTHLY and not bought.refunded:
        return None
    return current_period(bought, today).number


def bought_before(as_of: Instant, starts_on: Day) -> bool:
    """Whether a reservation was there when the opening position was taken: credit held then is what
    its purchase left.

    Source: decided for this ledger. By hand: the position is of 1 June 2026, 50.00 of credit are
    held. A reservation from 31 May consumes none of it, one from 1 June up to 50.00.
    """
    return starts_on < day_of(as_of, "UTC")

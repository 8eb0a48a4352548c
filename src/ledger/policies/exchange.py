"""Exchange: returned and new reservations must be of the same type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Reservation
from ledger.terms.table import Terms
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import ExchangeReservations, QuoteReservationExchange

RULE = "exchange"


def different_type(case: Case) -> Iterator[Violation]:
    """All returned and new reservations are of one product family, by a table of the terms.

    Source: seed 003 (不能返回 VM 保留项，以购买 SQL 保留). By hand: SqlDatabases for
    SqlManagedInstances: accepted, both are sql; VirtualMachines for SqlDatabases: `DIFFERENT_TYPE`.
    A type that is not in the table is its own family.
    """
    if not isinstance(case.command, QuoteReservationExchange | ExchangeReservations):
        return
    returned = [_type(case, one.reservation_id) for one in case.command.returns]
    bought = [one.product_type for one in case.command.purchases]
    families = {family(product_type, case.terms) for product_type in (*returned, *bought)}
    if len(families) > 1:
        yield violation(
            RULE,
            Code.DIFFERENT_TYPE,
            Said("returned and new reservations must be of one type; exchange each type apart"),
            returned_types=", ".join(sorted(set(returned))),
            new_types=", ".join(sorted(set(bought))),
            families=", ".join(sorted(families)),
        )


def not_exchangeable(case: Case) -> Iterator[Violation]:
    """Some types can be refunded but not exchanged, by a list of the terms.

    Source: seed 003's list of products. By hand: SuseLinux returned: `NOT_EXCHANGEABLE`.
    """
    if not isinstance(case.command, QuoteReservationExchange | ExchangeReservations):
        return
    types = {_type(case, one.reservation_id) for one in case.command.returns}
    for product_type in sorted(types & case.terms.not_exchangeable):
        said = Said("reservations of type {product_type} cannot be exchanged; ask for a refund")
        yield violation(RULE, Code.NOT_EXCHANGEABLE, said, product_type=product_type)


def invalid_quantity(case: Case) -> Iterator[Violation]:
    """No reservation is returned twice in one exchange. Source: decided for this ledger.

    By hand: `returns` names r-1 with 1 and r-1 with 2: `INVALID_QUANTITY`; name it once with 3.
    """
    if not isinstance(case.command, QuoteReservationExchange | ExchangeReservations):
        return
    times = Counter(one.reservation_id for one in case.command.returns)
    for reservation_id in (one for one, count in times.items() if count > 1):
        yield violation(
            RULE,
            Code.INVALID_QUANTITY,
            Said("reservation {reservation} is returned twice; name it once with the quantity"),
            reservation=reservation_id,
            times=str(times[reservation_id]),
        )


def family(product_type: str, terms: Terms) -> str:
    """The product family from the table; a type that is not in it is its own family."""
    return terms.families.get(product_type, f"{product_type} (not in the table)")


def _type(case: Case, reservation_id: str) -> str:
    return case.the(Reservation, reservation_id).product_type

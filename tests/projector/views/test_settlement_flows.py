"""Every flow of settlement, as it was decided, folds into the read models twice the same way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import msgspec
import pytest

from ledger.values.instants import parse_day
from ledger.vocabulary.commands import (
    ChangeCard,
    ConfirmCardRefund,
    FailCardRefund,
    OpenCommitmentTerm,
    SettleRefund,
)
from ledger.vocabulary.shapes import AccountType, Role
from projector.reconciling.independent_fold import Refold
from projector.rows.changes import Add, Insert, Set
from projector.rows.tables import Key, Row
from projector.views import VIEWS, refunds
from tests.bodies import paid
from tests.ledger.rules.instances import acts
from tests.ledger.rules.reservations.stories import bought, holding
from tests.ledger.rules.settlement.stories import (
    BY_COMMITMENT,
    BY_OVERAGE,
    by_card,
    correct,
    given_back,
    settle,
    traded,
)
from tests.scenario import Scenario

Flow = Callable[[], Scenario]


def to_the_balance() -> Scenario:
    s = acts.bought(paid(20_000, 20_796))
    acts.settle(s, acts.returned(s))
    return s


def to_the_commitment() -> Scenario:
    s = Scenario().opened(AccountType.EA, "USD")
    first, end = parse_day("2026-01-01"), parse_day("2027-01-01")
    s.give(
        OpenCommitmentTerm(
            term_id="t-1", starts_on=first, ends_on=end, amount=1_000_000, currency="USD"
        )
    )
    s.give(bought(payment=BY_COMMITMENT))
    settle(s, given_back(s).refund_id)
    return s


def by_credit_memo() -> Scenario:
    s = holding(bought(payment=BY_OVERAGE), account_type=AccountType.EA)
    settle(s, given_back(s).refund_id)
    return s


def by_invoice() -> Scenario:
    s = holding()
    settle(s, given_back(s).refund_id)
    s.give(bought(10_000, "r-2"))
    return s


def netted() -> Scenario:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    for leg in traded(s, "r-1", "r-2").returned:
        settle(s, leg.refund_id)
    return s


def requested() -> Scenario:
    s = by_card()
    settle(s, given_back(s).refund_id)
    return s


def confirmed() -> Scenario:
    s = requested()
    s.give(ConfirmCardRefund(refund_id=only_refund(s), gateway_reference="g-1"))
    return s


def failed() -> Scenario:
    s = requested()
    s.give(FailCardRefund(refund_id=only_refund(s), gateway_reference="g-1"))
    return s


def asked_again() -> Scenario:
    s = failed()
    s.give(SettleRefund(refund_id=only_refund(s), card_id="k-2"), role=Role.SUPPORT)
    return s


def confirmed_after_all() -> Scenario:
    s = failed()
    s.give(ConfirmCardRefund(refund_id=only_refund(s), gateway_reference="g-1"))
    return s


def second_under_way() -> Scenario:
    s = asked_again()
    first = ConfirmCardRefund(refund_id=only_refund(s), gateway_reference="g-2", attempt=1)
    s.give(first)
    return s


def second_failed() -> Scenario:
    s = second_under_way()
    s.give(FailCardRefund(refund_id=only_refund(s), gateway_reference="g-3", attempt=2))
    return s


def paid_twice() -> Scenario:
    s = second_under_way()
    both = ConfirmCardRefund(
        refund_id=only_refund(s), gateway_reference="g-3", attempt=2, reason="sent late"
    )
    s.give(both)
    return s


def paid_twice_and_corrected() -> Scenario:
    s = paid_twice()
    s.give(correct(only_refund(s)))
    return s


def card_changed() -> Scenario:
    s = by_card()
    refund_id = given_back(s).refund_id
    s.give(ChangeCard(card_id="k-2"))
    settle(s, refund_id)
    return s


def corrected() -> Scenario:
    s = to_the_balance()
    s.give(correct(only_refund(s), quota=True))
    return s


def leg_corrected() -> Scenario:
    s = holding()
    s.give(correct(traded(s, "r-1").returned[0].refund_id))
    return s


FLOWS: dict[Flow, list[str]] = {
    to_the_balance: ["SETTLED"],
    to_the_commitment: ["SETTLED"],
    by_credit_memo: ["SETTLED"],
    by_invoice: ["SETTLED"],
    netted: ["SETTLED", "SETTLED"],
    requested: ["SETTLING"],
    confirmed: ["SETTLED"],
    failed: ["HELD"],
    asked_again: ["SETTLING"],
    card_changed: ["HELD"],
    corrected: ["CORRECTED"],
    leg_corrected: ["CORRECTED"],
    confirmed_after_all: ["SETTLED"],
    second_under_way: ["SETTLED"],
    second_failed: ["SETTLED"],
    paid_twice: ["SETTLED"],
    paid_twice_and_corrected: ["CORRECTED"],
}


@pytest.mark.parametrize(
    ("flow", "states"), FLOWS.items(), ids=lambda x: getattr(x, "__name__", "")
)
def test_a_refund_stands_where_its_flow_has_come_to(flow: Flow, states: list[str]) -> None:
    rows = folded(flow())["refunds"]
    assert [row["state"] for row in rows.values()] == states


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_the_views_and_the_reconciliation_agree(flow: Flow) -> None:
    s = flow()
    refold = Refold()
    for event in s.recorded:
        refold.take(event)
    for name, rows in folded(s).items():
        assert plain(refold.tables[name]) == plain(rows), name


def test_a_corrected_balance_is_what_it_was_before() -> None:
    (row,) = folded(corrected())["balances"].values()
    assert (row["cash"], row["gift"]) == (0, 0)


def test_one_asked_for_again_is_held_no_more() -> None:
    (row,) = folded(asked_again())["refunds"].values()
    assert row["held_because"] is None


def test_one_paid_by_an_attempt_called_failed_is_held_no_more() -> None:
    (row,) = folded(confirmed_after_all())["refunds"].values()
    assert row["held_because"] is None


@pytest.mark.parametrize(("flow", "overpaid"), [(second_failed, 0), (paid_twice, 36_500)])
def test_what_is_overpaid_adds_up(flow: Flow, overpaid: int) -> None:
    (row,) = folded(flow())["refunds"].values()
    assert (row["amount"], row["overpaid"]) == (36_500, overpaid)


def plain(rows: Mapping[Key, Mapping[str, object]]) -> dict[Key, dict[str, object]]:
    """With JSON as values, as which the reconciliation holds it, and the views as text."""
    return {
        key: {
            column: json.loads(value)
            if isinstance(value, str) and value.startswith(("[", "{"))
            else value
            for column, value in json.loads(msgspec.json.encode(row)).items()
        }
        for key, row in rows.items()
    }


def only_refund(s: Scenario) -> str:
    (key,) = folded(s)[refunds.TABLE.name]
    return str(key[1])


def folded(s: Scenario) -> dict[str, dict[Key, Row]]:
    """The tables after every event; a change to a row that is not there raises."""
    tables: dict[str, dict[Key, Row]] = {view.TABLE.name: {} for view in VIEWS}
    for event in s.recorded:
        for view in VIEWS:
            rows = tables[view.TABLE.name]
            for change in view.changes(event):
                match change:
                    case Insert(row=row):
                        key = view.TABLE.key_of(row)
                        assert key not in rows
                        rows[key] = dict(row)
                    case Set(key=key, columns=columns):
                        rows[key].update(columns)
                    case Add(key=key, amounts=amounts):
                        for column, amount in amounts.items():
                            rows[key][column] += amount  # type: ignore[operator]  # a number
    return tables

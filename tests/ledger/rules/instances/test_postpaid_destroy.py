"""Postpaid destroy: into the bin for two hours, unless the account is in arrears; no refund."""

from __future__ import annotations

from ledger.values.instants import HOUR
from ledger.values.refusal import Code
from ledger.vocabulary.commands import DestroyPostpaidInstance, SetAccountStanding
from ledger.vocabulary.events import InstanceIsolated
from ledger.vocabulary.shapes import IsolationReason
from tests.ledger.rules.instances.acts import bought, started
from tests.scenario import Scenario

DESTROY = DestroyPostpaidInstance(instance_id="i-1", acknowledged=True)


def test_it_lies_in_the_bin_for_two_hours_and_nothing_is_refunded() -> None:
    s = started()
    s.when(DESTROY).then(
        InstanceIsolated(
            instance_id="i-1",
            isolation_id=s.derived("isolation"),
            reason=IsolationReason.DESTROYED_BY_OWNER,
            isolated_at=s.now,
            restore_until=s.now + 2 * HOUR,
            charges_stopped_at=s.now,
        )
    )


def in_arrears() -> Scenario:
    s = started()
    s.give(SetAccountStanding(in_arrears=True))
    return s


def test_arrears_forbid_it_and_the_settled_debt_allows_it() -> None:
    s = in_arrears()
    refusal = s.when(DESTROY).refused(Code.ACCOUNT_IN_ARREARS)
    assert refusal.violations[0].rule == "postpaid_destroy"
    assert refusal.violations[0].figures == {"account": "acct-1"}
    s.give(SetAccountStanding(in_arrears=False))
    assert isinstance(s.give(DESTROY)[0], InstanceIsolated)


def test_it_must_be_acknowledged() -> None:
    careless = DestroyPostpaidInstance(instance_id="i-1", acknowledged=False)
    started().when(careless).refused(Code.NOT_ACKNOWLEDGED)
    in_arrears().when(careless).refused(Code.ACCOUNT_IN_ARREARS, Code.NOT_ACKNOWLEDGED)


def test_it_happens_once() -> None:
    s = started()
    s.give(DESTROY, id="c-1")
    s.when(DESTROY, id="c-1").then()
    refusal = s.when(DESTROY, id="c-2").refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["state"] == "ISOLATED"


def test_a_prepaid_instance_is_returned_instead() -> None:
    refusal = bought().when(DESTROY).refused(Code.WRONG_STATE)
    assert refusal.violations[0].figures["billing"] == "PREPAID"

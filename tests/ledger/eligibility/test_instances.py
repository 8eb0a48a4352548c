"""Instances: returned, destroyed, restored or taken offline, as they stand."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.values.instants import DAY, HOUR
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    DestroyPostpaidInstance,
    QuoteInstanceReturn,
    RestoreInstance,
    ReturnInstance,
    SetAccountStanding,
)
from ledger.vocabulary.events import InstanceReturnQuoted
from ledger.vocabulary.shapes import Channel, Parts, RefundRule, Role
from tests.bodies import line, order, paid, renewal
from tests.ledger.eligibility.asked import asking, codes, open_acts, things, verdict
from tests.ledger.rules.instances.acts import bought, quoted, returned, started
from tests.scenario import START, Scenario


def test_a_running_prepaid_instance_may_be_returned_at_what_a_quote_would_say() -> None:
    s = bought(paid(141_392, voucher=10_000)).later(2 * DAY)
    found = verdict(s, ReturnInstance)
    assert found.may
    assert isinstance(found.asked.body, QuoteInstanceReturn)
    assert isinstance(found.brings, InstanceReturnQuoted)
    assert (found.brings.rule, found.brings.amount) == (RefundRule.FIVE_DAYS_NO_REASON, 141_392)
    assert found.brings.parts == Parts(cash=141_392, gift=0)
    assert replace(found.brings, quote_id="") == replace(quoted(s), quote_id="")


def test_whatever_a_quote_lists_stands_in_the_way_beside_the_amount() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), starts_at=START, channel=Channel.PROMOTION))
    found = verdict(s, ReturnInstance)
    assert codes(found) == [Code.SELF_SERVICE_NOT_SUPPORTED]
    assert found.brings == replace(quoted(s), quote_id=getattr(found.brings, "quote_id", ""))
    assert found.violations == quoted(s).violations


def test_support_standing_in_may_what_the_owner_may_not() -> None:
    s = Scenario().opened()
    s.give(order("o-1", line("i-1"), starts_at=START, channel=Channel.PROMOTION))
    found = verdict(s, ReturnInstance, asking(s, actor_id="s-1", support=True))
    assert found.may
    assert (found.asked.meta.actor.id, found.asked.meta.actor.role) == ("s-1", Role.SUPPORT)


def test_a_prepaid_instance_is_not_destroyed_but_returned() -> None:
    s = bought()
    assert open_acts(s, "i-1") == ["ReturnInstance"]
    assert [codes(each) for each in things(s)["i-1"].acts] == [
        [],
        [Code.WRONG_STATE],
        [Code.NOT_IN_RECYCLE_BIN],
        [Code.NOT_IN_RECYCLE_BIN],
    ]


def test_a_postpaid_instance_is_destroyed_unless_the_account_is_in_arrears() -> None:
    s = started()
    found = verdict(s, DestroyPostpaidInstance)
    assert (found.may, found.brings, found.then) == (True, None, None)
    s.give(SetAccountStanding(in_arrears=True))
    assert codes(verdict(s, DestroyPostpaidInstance)) == [Code.ACCOUNT_IN_ARREARS]


def test_in_the_recycle_bin_it_comes_back_by_a_renewal_alone() -> None:
    s = bought()
    returned(s)
    assert open_acts(s, "i-1") == ["TakeInstanceOffline"]
    assert codes(verdict(s, RestoreInstance)) == [Code.RENEWAL_REQUIRED]
    s.later(HOUR).give(renewal("o-2", line("i-1"), starts_at=s.now))
    found = verdict(s, RestoreInstance)
    assert found.may
    assert found.asked.body == RestoreInstance(instance_id="i-1", renewal_order_id="o-2")


def test_after_its_window_it_is_gone_although_the_timer_sleeps() -> None:
    s = bought()
    returned(s)
    s.later(7 * DAY + 1)
    assert codes(verdict(s, RestoreInstance)) == [Code.RETENTION_ELAPSED]


def test_asking_changes_nothing() -> None:
    s = bought()
    before = s.state.entities()
    assert things(s) == things(s)
    assert s.state.entities() == before

"""Charges stop: from the isolating instant on, whatever brought the instance into the bin."""

from __future__ import annotations

from ledger.values.instants import DAY, HOUR, parse_instant
from ledger.vocabulary.commands import DestroyPostpaidInstance, ExpireInstance
from tests.bodies import YEAR
from tests.ledger.rules.instances.acts import binned, bought, returned, started
from tests.scenario import START


def test_they_stop_when_it_is_returned() -> None:
    s = bought().later(DAY)
    returned(s)
    assert binned(s).charges_stopped_at == binned(s).isolated_at == s.now


def test_they_stop_when_it_is_destroyed() -> None:
    s = started().later(HOUR)
    s.give(DestroyPostpaidInstance(instance_id="i-1", acknowledged=True))
    assert binned(s).charges_stopped_at == binned(s).isolated_at == s.now


def test_they_stop_at_the_expiry_however_late_the_timer_woke() -> None:
    end = parse_instant(START) + YEAR
    s = bought().at(end + 3 * HOUR)
    s.give(ExpireInstance(instance_id="i-1", order_id="o-1"))
    assert binned(s).charges_stopped_at == binned(s).isolated_at == end

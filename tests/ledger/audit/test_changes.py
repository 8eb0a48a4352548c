"""A log of upgrades and downgrades, one of them corrected, is sound; a fault planted is found."""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import pytest

from ledger.audit import audit
from ledger.values.instants import DAY
from ledger.vocabulary.commands import OpenAccount
from ledger.vocabulary.events import InstanceDowngraded, InstanceUpgraded, RefundIssued
from ledger.vocabulary.shapes import AccountType, Funds, Parts
from ledger.wire.avro.codec import decode_event
from tests.bodies import downgrading, line, order, paid, renewal, returning, smaller, upgrade
from tests.ledger.audit.ledgers import BILLING, ONLINE, START, SUPPORT, MemoryLedger
from tests.ledger.audit.recorded import RecordedLog
from tests.ledger.rules.settlement.stories import correct

E = TypeVar("E", InstanceDowngraded, RefundIssued)


@cache
def clean() -> RecordedLog:
    """i-1 is upgraded, made smaller twice with a correction in between, upgraded and returned."""
    ledger = MemoryLedger()
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    ledger.give(ONLINE, "open", BILLING, online)
    first = order("o-1", line("i-1", paid(20_000, 20_796)), starts_at=START)
    ledger.give(ONLINE, "order", BILLING, first)
    ledger.give(ONLINE, "renew", BILLING, renewal("o-2", line("i-1"), starts_at=first.ends_at))
    ledger.give(ONLINE, "up-1", BILLING, upgrade("u-1", paid(0, 10_000), at=START))
    ledger.give(ONLINE, "down-1", SUPPORT, downgrading(smaller()))
    refund_id = body_of(ledger.recorded(), InstanceDowngraded).refund_id
    ledger.give(ONLINE, "wrong", SUPPORT, correct(refund_id))
    ledger.now += DAY
    ledger.give(ONLINE, "down-2", SUPPORT, downgrading(smaller()))
    ledger.give(ONLINE, "up-2", BILLING, upgrade("u-2", paid(5_000), at=ledger.now))
    ledger.now += 5 * DAY
    ledger.give(ONLINE, "return", SUPPORT, returning("i-1"))
    return ledger.recorded()


def body_of(log: RecordedLog, kind: type[E], nth: int = 0) -> E:
    """The body of the nth event of a kind."""
    partition, place = log.find(kind, nth)
    body = decode_event(log.events(partition)[place].value).body
    assert isinstance(body, kind)
    return body


def found(log: RecordedLog) -> str | None:
    """What `refunds_at_most_paid` expected."""
    told = {each.check: each for each in audit(log, "anybody").divergences}
    seen = told.get("refunds_at_most_paid")
    return None if seen is None else seen.expected


def test_it_is_sound() -> None:
    assert audit(clean(), "anybody").divergences == ()


@pytest.mark.parametrize(
    ("fund", "expected"), [("cash", "cash with what is left"), ("gift", "gift with what is left")]
)
def test_more_left_than_was_paid_is_found(fund: str, expected: str) -> None:
    log = clean().copied()
    left = body_of(log, InstanceDowngraded).left
    more = Funds(cash=left.cash, gift=left.gift)
    paid_in = {"cash": 20_000, "gift": 30_796}[fund]
    parts = body_of(log, RefundIssued).parts
    whole = paid_in - (getattr(parts, fund) or 0)
    at_the_edge = {"cash": more.cash, "gift": more.gift, fund: whole}
    assert found(forged(log, Funds(**at_the_edge))) is None
    over = {**at_the_edge, fund: whole + 1}
    assert expected in (found(forged(clean().copied(), Funds(**over))) or "")


def forged(log: RecordedLog, left: Funds) -> RecordedLog:
    log.forge(InstanceDowngraded, left=left)
    return log


def test_a_corrected_downgrade_counts_as_paid_again_and_no_more() -> None:
    """The second may give back what the first one left and what its correction gave."""
    log = clean().copied()
    first, left = body_of(log, RefundIssued), body_of(log, InstanceDowngraded).left
    cash = left.cash + (first.parts.cash or 0)
    cash -= body_of(log, RefundIssued, 1).parts.cash or 0
    gift = body_of(log, InstanceDowngraded, 1).left.gift
    log.forge(InstanceDowngraded, 1, left=Funds(cash=cash, gift=gift))
    assert found(log) is None
    log.forge(InstanceDowngraded, 1, left=Funds(cash=cash + 1, gift=gift))
    assert "cash with what is left" in (found(log) or "")


def test_a_return_gives_back_what_is_left_its_upgrades_and_the_renewal() -> None:
    log = clean().copied()
    left = body_of(log, InstanceDowngraded, 1).left
    cash, gift = left.cash + 5_000 + 40_796, left.gift
    log.forge(
        RefundIssued, 2, gross=cash + gift, amount=cash + gift, parts=Parts(cash=cash, gift=gift)
    )
    assert found(log) is None
    parts = Parts(cash=cash + 1, gift=gift)
    log.forge(RefundIssued, 2, gross=cash + gift, amount=cash + gift, parts=parts)
    assert "cash" in (found(log) or "")


def test_an_upgrade_of_an_order_that_is_not_there_pays_for_nothing() -> None:
    log = clean().copied()
    log.forge(InstanceUpgraded, order_id="o-9")
    assert "gift with what is left" in (found(log) or "")

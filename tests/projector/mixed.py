"""A ledger of many kinds of story, with corrections and with timers that woke up late."""

from __future__ import annotations

from random import Random

from ledger.values.instants import DAY, HOUR, Instant, parse_instant
from ledger.vocabulary.commands import (
    CompleteOverdueMarketplaceRefund,
    DestroyIsolatedInstance,
    ExpireInstance,
    RestoreInstance,
    SettleRefund,
)
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import AccountType, OrderKind, Role
from tests.bodies import line, order, paid, returning
from tests.ledger.rules.instances.acts import isolation
from tests.ledger.rules.marketplace.stories import application, purchase, request_id
from tests.ledger.rules.reservations.stories import act, bought
from tests.ledger.rules.settlement.stories import NO_INVOICE, correct
from tests.scenario import START, Scenario

BEGAN = parse_instant(START)


def mixed(seed: int) -> list[Scenario]:
    """Stories of seven accounts over some two years."""
    random = Random(seed)
    instances = [_instances(f"acct-i{n}", random) for n in range(3)]
    purchases = [_purchases(f"acct-m{n}", random) for n in range(2)]
    return [*instances, *purchases, *(_reservations(f"acct-r{n}", random) for n in range(2))]


def _late(random: Random) -> int:
    """How late a timer wakes: often at once, sometimes hours, rarely days."""
    return random.choice([0, 0, 1, HOUR, 5 * HOUR, 3 * DAY])


def _instances(account: str, random: Random) -> Scenario:
    """Each instance is bought, and then returned, or left to expire and perhaps renewed."""
    s = Scenario(account, at=BEGAN + random.randrange(DAY)).opened()
    for number in range(8):
        s.later(random.randrange(20 * DAY))
        name, started = f"i-{number}", s.now
        funds = paid(random.randrange(1, 90_000), random.randrange(90_000))
        s.give(
            order(f"o-{number}", line(name, funds), starts_at=started, ends_at=started + 31 * DAY)
        )
        if random.random() < 0.6:
            s.later(random.randrange(1, 30 * DAY))
            s.give(returning(name), role=Role.SUPPORT)
            _settled(s, random)
        else:
            s.at(started + 31 * DAY + _late(random))
            s.give(ExpireInstance(instance_id=name, order_id=f"o-{number}"))
        _leaves_the_bin(s, name, random)
    return s


def _leaves_the_bin(s: Scenario, name: str, random: Random) -> None:
    stay = isolation(s, name)
    if random.random() < 0.4 and s.now < stay.restore_until:
        s.later(random.randrange(stay.restore_until - s.now))
        renewal = f"renewal-{name}"
        s.give(
            order(
                renewal,
                line(name),
                kind=OrderKind.RENEWAL,
                starts_at=s.now,
                ends_at=s.now + 40 * DAY,
            )
        )
        s.later(random.randrange(10 * DAY))
        s.give(RestoreInstance(instance_id=name, renewal_order_id=renewal))
    elif random.random() < 0.8:
        s.at(max(s.now, stay.restore_until + _late(random)))
        s.give(DestroyIsolatedInstance(instance_id=name, isolation_id=stay.isolation_id))


def _purchases(account: str, random: Random) -> Scenario:
    """Each purchase is applied for and completed by its timer, which may wake late."""
    s = Scenario(account, at=BEGAN + random.randrange(DAY)).opened()
    for number in range(4):
        s.later(random.randrange(30 * DAY))
        name = f"p-{number}"
        funds = paid(random.randrange(1, 90_000), random.randrange(90_000))
        s.give(purchase(name, funds=funds, at=s.now))
        s.later(random.randrange(3 * DAY))
        s.give(application(name))
        s.later(4 * DAY + _late(random))
        overdue = CompleteOverdueMarketplaceRefund(purchase_id=name, request_id=request_id(s))
        s.give(overdue)
        _settled(s, random)
    return s


def _reservations(account: str, random: Random) -> Scenario:
    """Reservations given back part by part; some refunds are corrected, with or without the cap."""
    s = Scenario(account, at=BEGAN + random.randrange(DAY)).opened(AccountType.CSP, "USD")
    for number in range(6):
        total = random.randrange(36_500, 3_000_000)
        s.give(bought(total, f"v-{number}", quantity=4, months=36, payment=NO_INVOICE))
    for _ in range(18):
        s.later(random.randrange(60 * DAY))
        name = f"v-{random.randrange(6)}"
        s.give(act(name, random.randrange(1, 3)), role=Role.SUPPORT)
        _settled(s, random)
    return s


def _settled(s: Scenario, random: Random) -> None:
    """What follows a refund: its settlement, and now and then its correction."""
    refunds = [body for body in s.outcome if isinstance(body, RefundIssued)]
    for refund in refunds:
        s.later(random.randrange(2 * HOUR))
        s.give(SettleRefund(refund_id=refund.refund_id), role=Role.SYSTEM)
        if random.random() < 0.3:
            s.later(random.randrange(1, 40 * DAY))
            restored = random.random() < 0.5
            s.give(correct(refund.refund_id, quota=restored, cap=restored))


def instants(stories: list[Scenario], seed: int, count: int) -> list[tuple[Instant, Instant]]:
    """Pairs of a business and a recorded instant, many of them right at an event or beside it."""
    random = Random(seed)
    metas = [event.meta for story in stories for event in story.recorded]
    marks = [at for meta in metas for at in (meta.recorded_at, meta.occurred_at)]
    first = min(meta.recorded_at for meta in metas)
    last = max(meta.recorded_at for meta in metas)

    def one() -> Instant:
        if random.random() < 0.5:
            return min(last, max(first, random.choice(marks) + random.choice([-1, 0, 1])))
        return random.randrange(first, last + 1)

    return [(one(), one()) for _ in range(count)]

"""Deadlines: a timer's command is accepted from the deadline on, and sent anew if it was early."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.values.instants import DAY, Instant, format_instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    Command,
    CompleteOverdueMarketplaceRefund,
    DestroyIsolatedInstance,
    ExpireInstance,
    ExpireReservation,
)
from tests.bodies import YEAR
from tests.ledger.rules.instances.acts import bought, isolation, returned, window_end
from tests.ledger.rules.marketplace.stories import SAAS_DUE, applied, request_id
from tests.ledger.rules.reservations.stories import holding
from tests.scenario import START, Scenario

Due = tuple[Scenario, Command, Instant]


def of_an_expiry() -> Due:
    s = bought()
    return s, ExpireInstance(instance_id="i-1", order_id="o-1"), parse_instant(START) + YEAR


def of_a_destruction() -> Due:
    s = bought()
    returned(s)
    isolation_id = isolation(s).isolation_id
    timer = DestroyIsolatedInstance(instance_id="i-1", isolation_id=isolation_id)
    return s, timer, window_end(s)


def of_a_completion() -> Due:
    s = applied()
    timer = CompleteOverdueMarketplaceRefund(purchase_id="p-1", request_id=request_id(s))
    return s, timer, parse_instant(SAAS_DUE)


def of_a_reservations_end() -> Due:
    timer = ExpireReservation(reservation_id="r-1")
    return holding(), timer, parse_instant("2027-01-05T00:00:00Z")


TIMERS = [of_an_expiry, of_a_destruction, of_a_completion, of_a_reservations_end]


@pytest.mark.parametrize("story", TIMERS)
def test_a_microsecond_before_it_is_not_due_and_at_the_deadline_it_is(
    story: Callable[[], Due],
) -> None:
    s, timer, due = story()
    (violation,) = s.at(due - 1).when(timer).refused(Code.NOT_DUE).violations
    assert violation.rule == "deadlines"
    figures = {"due_at": format_instant(due), "now": format_instant(due - 1)}
    assert violation.figures == figures
    s.at(due).when(timer)
    assert {fact.occurred_at for fact in s.facts} == {due}
    assert "CommandRefused" not in [event.name for event in s.recorded[-len(s.facts) :]]


@pytest.mark.parametrize("story", TIMERS)
def test_one_sent_too_early_is_swallowed_under_its_id_and_done_under_the_next(
    story: Callable[[], Due],
) -> None:
    s, timer, due = story()
    s.at(due - 1).when(timer, id="t-1").refused(Code.NOT_DUE)
    s.at(due).when(timer, id="t-1").then()
    s.when(timer, id="t-2")
    assert {fact.occurred_at for fact in s.facts} == {due}
    assert "CommandRefused" not in [event.name for event in s.recorded[-len(s.facts) :]]


@pytest.mark.parametrize("story", TIMERS)
def test_what_happened_happened_at_the_deadline_however_late_it_is_decided(
    story: Callable[[], Due],
) -> None:
    s, timer, due = story()
    s.at(due + 40 * DAY).when(timer)
    assert {fact.occurred_at for fact in s.facts} == {due}
    assert s.recorded[-1].meta.recorded_at == due + 40 * DAY

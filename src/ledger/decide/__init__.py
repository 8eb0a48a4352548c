"""Decide: a command, the state, the terms and the instant → events, or a refusal. Pure."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from ledger.decide import accounts, instances, marketplace, refunds, reservations
from ledger.decide.facts import Fact
from ledger.policies import judged, stopped
from ledger.policies.case import Case
from ledger.policies.idempotency import is_duplicate
from ledger.state import State
from ledger.state.entities import ErasedKeys
from ledger.terms.table import Terms
from ledger.values.instants import Instant
from ledger.values.refusal import Violation
from ledger.vocabulary.commands import (
    AccountCommand,
    ExchangeReservations,
    InstanceCommand,
    MarketplaceCommand,
    QuoteCommand,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
    ReservationCommand,
    SettlementCommand,
)
from ledger.vocabulary.envelope import NEWEST_EDITION, GivenCommand
from ledger.vocabulary.events import CommandRefused
from ledger.vocabulary.sealing import text_fields, without_erased

__all__ = ["Decision", "Duplicate", "Fact", "decide"]


class Duplicate(Struct, frozen=True):
    """The command was decided before: there is no new event."""


Decision = tuple[Fact, ...] | Duplicate
"""The events of a command in order (a refusal is an event), or that it is a duplicate."""


def decide(
    given: GivenCommand,
    digest: bytes,
    *,
    state: State,
    now: Instant,
    terms: Terms,
    edition: int = NEWEST_EDITION,
) -> Decision:
    """Decide one command.

    0. A text whose key is destroyed is recorded as erased; no rule reads one.
    1. A command with a known id and content: no new event.
    2. The stoppers, in order; the first that is violated refuses.
    3. What the command computes is computed.
    4. All other policies, together; a quote lists what they say, anything else is refused by it.
    5. The events.

    `now` is the deciding instant, `digest` the digest of name, actor and body, `edition` how the
    rules are applied. Never raises for
    anything a well-formed command can say.
    """
    given = _as_recorded(given, state)
    case = Case(given=given, digest=digest, now=now, terms=terms, edition=edition, state=state)
    if is_duplicate(case):
        return Duplicate()
    if violations := stopped(case):
        return (_refusal(case, violations),)
    case = _with_figures(case)
    violations = judged(case)
    if not violations:
        return _accepted(case)
    if isinstance(given.body, QuoteCommand):
        return _accepted(replace(case, violations=violations))
    return (_refusal(case, violations),)


def _as_recorded(given: GivenCommand, state: State) -> GivenCommand:
    if not text_fields(type(given.body)):
        return given
    erased = state.find(ErasedKeys, given.meta.account_id, "")
    return given if erased is None else without_erased(given, erased.up_to)


def _refusal(case: Case, violations: tuple[Violation, ...]) -> Fact:
    refused = CommandRefused(
        command_type=case.given.name,
        command_id=case.given.meta.command_id,
        violations=violations,
    )
    return Fact(body=refused, occurred_at=case.now)


def _with_figures(case: Case) -> Case:
    match case.command:
        case QuoteReservationRefund() | RefundReservation() as command:
            return replace(case, figures=reservations.refund_figures(case, command))
        case QuoteReservationExchange() | ExchangeReservations() as command:
            return replace(case, exchange=reservations.exchange_figures(case, command))
    figures = instances.figures(case)
    return case if figures is None else replace(case, figures=figures)


def _accepted(case: Case) -> tuple[Fact, ...]:
    command = case.command  # the most frequent first: each class that it is not takes 0.1 µs
    if isinstance(command, InstanceCommand):
        return instances.accepted(case, command)
    if isinstance(command, AccountCommand):
        return accounts.accepted(case, command)
    if isinstance(command, MarketplaceCommand):
        return marketplace.accepted(case, command)
    if isinstance(command, ReservationCommand):
        return reservations.accepted(case, command)
    if isinstance(command, SettlementCommand):
        return refunds.accepted(case, command)
    assert_never(command)

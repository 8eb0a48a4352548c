"""Eligibility: what may be done with each thing of an account now, what it would bring, and what
stands in the way.

Every act is given to `decide` as its owner or buyer would give it, and the verdict is read; no rule
is written here. Pure: nothing is recorded, the state stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ledger.eligibility.acts import (
    OF_INSTANCES,
    OF_PURCHASES,
    OF_RESERVATIONS,
    Act,
    Subject,
    T,
)
from ledger.eligibility.supposing import Supposed, supposed, supposed_command
from ledger.state import Key, MemoryState
from ledger.state.entities import Account, Entity, Instance, Purchase, Reservation
from ledger.state.reading import existing
from ledger.terms.table import Terms
from ledger.values.instants import Instant
from ledger.values.money import Decimal12
from ledger.values.refusal import Violation
from ledger.vocabulary.commands import ROLES, Command
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.vocabulary.events import Event
from ledger.vocabulary.shapes import Actor, Role, SourceKind

__all__ = ["Asking", "Thing", "Verdict", "eligible", "held", "judged"]


class Asking(Struct, frozen=True, kw_only=True):
    """When it is asked, and for whom: each thing's own owner or buyer where `actor_id` is None, or
    support standing in for them. `usd_rate` is what a unit of the account's currency is worth.
    """

    now: Instant
    terms: Terms
    usd_rate: Decimal12
    actor_id: str | None = None
    support: bool = False


class Verdict(Struct, frozen=True, kw_only=True):
    """What `decide` says of one act.

    `asked` is the command that was given: the quote, where an act is quoted first. `brings` is the
    quote or the refund as it would be recorded, `then` the command of another party that it waits
    for. `to_give` are fields for which something stood in, `must` what they have to meet.
    """

    act: type[Command]
    asked: GivenCommand
    violations: tuple[Violation, ...]
    brings: Event | None
    then: type[Command] | None
    to_give: tuple[str, ...]
    must: tuple[Violation, ...]

    @property
    def may(self) -> bool:
        """Does nothing stand in the way?"""
        return not self.violations


class Thing(Struct, frozen=True, kw_only=True):
    """An instance, purchase or reservation, with every act there is for its kind."""

    kind: SourceKind
    id: str
    status: str
    acts: tuple[Verdict, ...]


def eligible(state: MemoryState, account_id: str, asking: Asking) -> tuple[Thing, ...]:
    """Everything the account holds or held, in the order it came to be.

    By hand: i-1, paid 1,413.92, delivered two days ago, the full quota free: ReturnInstance may be
    given and brings 1,413.92 by FIVE_DAYS_NO_REASON; RestoreInstance is `NOT_IN_RECYCLE_BIN`.
    """
    return judged(state, held(state, account_id), asking)


def held(state: MemoryState, account_id: str) -> tuple[Key, ...]:
    """The keys of everything the account holds or held, in the order it came to be."""
    return tuple(
        key
        for key in state.entities()
        if key.account_id == account_id and key.kind in (Instance, Purchase, Reservation)
    )


def judged(state: MemoryState, keys: Iterable[Key], asking: Asking) -> tuple[Thing, ...]:
    """These things, with every act of each."""
    entities = state.entities()
    return tuple(_thing(state, key, entities[key], asking) for key in keys)


def _thing(state: MemoryState, key: Key, entity: Entity, asking: Asking) -> Thing:
    """The thing with its verdicts."""
    match entity:
        case Instance():
            kind, acts = SourceKind.INSTANCE, _acts(state, key, entity, asking, OF_INSTANCES)
        case Purchase():
            kind, acts = SourceKind.MARKETPLACE, _acts(state, key, entity, asking, OF_PURCHASES)
        case Reservation():
            kind, acts = SourceKind.RESERVATION, _acts(state, key, entity, asking, OF_RESERVATIONS)
        case _:
            raise TypeError(f"{key} is no thing that an account holds")
    return Thing(kind=kind, id=key.entity_id, status=entity.status.value, acts=acts)


def _acts(
    state: MemoryState, key: Key, it: T, asking: Asking, acts: tuple[Act[T], ...]
) -> tuple[Verdict, ...]:
    one = Subject(
        account_id=key.account_id,
        id=key.entity_id,
        it=it,
        currency=existing(state, Account, key.account_id, "").currency,
        usd_rate=asking.usd_rate,
        terms=asking.terms,
    )
    return tuple(_verdict(state, one, act, asking) for act in acts)


def _verdict(state: MemoryState, one: Subject[T], act: Act[T], asking: Asking) -> Verdict:
    body = act.asks(one)
    given = supposed_command(one.account_id, _asker(one, body, asking), body)
    events = supposed(given, state=state, now=asking.now, terms=asking.terms)
    violations = _violations(events)
    then = None
    if act.then is not None and not violations:
        actor, completes = act.then(one)
        then = supposed_command(one.account_id, actor, completes)
        after = Supposed(state)
        after.take(events)
        events = supposed(then, state=after, now=asking.now, terms=asking.terms)
    return Verdict(
        act=act.act,
        asked=given,
        violations=tuple(each for each in violations if each.code not in act.answered_by_it),
        brings=_brings(events),
        then=None if then is None else type(then.body),
        to_give=act.to_give,
        must=tuple(each for each in violations if each.code in act.answered_by_it),
    )


def _asker(one: Subject[T], body: Command, asking: Asking) -> Actor:
    """Who would give it: the thing's owner or buyer, or who was named."""
    own = Role.BUYER if Role.BUYER in ROLES[type(body)] else Role.OWNER
    return Actor(
        id=one.own_id if asking.actor_id is None else asking.actor_id,
        role=Role.SUPPORT if asking.support else own,
    )


def _violations(events: tuple[RecordedEvent, ...]) -> tuple[Violation, ...]:
    """What a refusal tells, or a quote lists."""
    found: tuple[Violation, ...] = getattr(events[0].body, "violations", ())
    return found


def _brings(events: tuple[RecordedEvent, ...]) -> Event | None:
    """The event that moves money or would: what has a working."""
    return next((event.body for event in events if hasattr(event.body, "working")), None)

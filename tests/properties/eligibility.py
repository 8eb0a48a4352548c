"""What is said may be done, is done: every act comes out as eligibility said just before."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ledger.eligibility import Asking, Verdict, eligible
from ledger.state.entities import Instance, Purchase, Reservation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    QuoteCommand,
    QuoteReservationExchange,
)
from ledger.vocabulary.events import (
    CommandRefused,
    Event,
    RefundIssued,
    ReservationExchanged,
    ReservationExchangeQuoted,
)
from ledger.vocabulary.shapes import Role
from tests.ledger.rules.reservations.stories import new
from tests.properties.world import World

_IDS_OF_ITS_OWN = {"quote_id", "refund_id"}


def as_said(w: World, a: int, b: int) -> None:
    """Asks about all the account has, then does one act of one thing."""
    asking = Asking(
        now=w.s.now,
        terms=w.s.terms.at(w.s.now),
        usd_rate=w.rate,
        actor_id=(None, None, "u-1", "u-9")[b // 16],
        support=b % 16 == 15,
    )
    before = w.s.state.entities()
    found = eligible(w.s.state, w.s.account, asking)
    assert w.s.state.entities() == before
    there = [one for kind in (Instance, Purchase, Reservation) for one, _ in w.all(kind)]
    assert sorted(thing.id for thing in found) == sorted(there)
    if found:
        thing = found[-1 - a % len(found)]
        _is_done(w, thing.acts[b % len(thing.acts)], thing.id)


def _is_done(w: World, said: Verdict, thing_id: str) -> None:
    if isinstance(said.asked.body, QuoteReservationExchange):
        said = _with_purchases(w, said, thing_id)
    outcome = _given(w, said, said.asked.body)
    if isinstance(said.asked.body, QuoteCommand) and not isinstance(outcome[0], CommandRefused):
        (quoted,) = outcome
        assert _alike(quoted, said.brings)
        outcome = _given(w, said, _act(w, said, quoted))
    if isinstance(outcome[0], CommandRefused):
        assert outcome[0].violations == said.violations
        assert not said.may
        return
    assert said.may
    if said.then is ApproveMarketplaceRefund:
        outcome = w.give(said.then(purchase_id=thing_id), Role.VENDOR, "v-1")
    _brought(outcome, said.brings)


def _given(w: World, said: Verdict, command: Any) -> tuple[Event, ...]:
    actor = said.asked.meta.actor
    return w.give(command, actor.role, actor.id)


def _act(w: World, said: Verdict, quoted: Any) -> Any:
    """The act, with what was quoted confirmed."""
    asked = said.asked.body
    same = {name: getattr(asked, name) for name in asked.__struct_fields__ if name != "currency"}
    return said.act(  # type: ignore[call-arg]  # whatever is quoted first has these fields
        **same,
        quote_id=quoted.quote_id,
        acknowledged=True,
        confirmed_amount=quoted.amount,
        currency=w.currency,
    )


def _with_purchases(w: World, said: Verdict, thing_id: str) -> Verdict:
    """The exchange for one reservation that costs what it must; only what is payable differs."""
    held = w.s.state.find(Reservation, w.s.account, thing_id)
    assert held is not None
    exchange = said.brings if isinstance(said.brings, ReservationExchangeQuoted) else None
    least = 1 if exchange is None else max(1, exchange.remaining_commitment)
    bought = (new(least, w.fresh("r"), product_type=held.product_type, payment=held.payment),)
    assert isinstance(said.asked.body, QuoteReservationExchange)
    asked = replace(said.asked, body=replace(said.asked.body, purchases=bought))
    if exchange is None:
        return replace(said, asked=asked)
    payable = least - exchange.returned_total
    exchange = replace(
        exchange,
        purchases=bought,
        purchased_total=least,
        amount=payable,
        payable=payable,
        violations=said.violations,
    )
    return replace(said, asked=asked, brings=exchange)


def _brought(outcome: tuple[Event, ...], brings: Event | None) -> None:
    """The money that moved is what was said would; none where nothing was."""
    moved = [one for one in outcome if isinstance(one, RefundIssued | ReservationExchanged)]
    assert len(moved) == (brings is not None)
    for one in moved:
        assert _alike(one, brings)


def _alike(one: Any, other: Any) -> bool:
    """Whatever both tell is the same, but for ids that only the one has."""
    both = {*one.__struct_fields__} & {*other.__struct_fields__} - _IDS_OF_ITS_OWN
    if isinstance(other, ReservationExchangeQuoted):
        both -= {"working"}  # it names the purchases
    return all(getattr(one, name) == getattr(other, name) for name in both)

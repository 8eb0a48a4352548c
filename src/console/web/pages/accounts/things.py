"""The things of an account as its page shows them: what may be done with each, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.rendering.reports.eligibility import verdict_to_json
from console.rendering.sentences.saying import ENGLISH, Saying
from console.web.backend import Backend
from console.web.pages.rendering.languages import N_
from console.web.pages.rendering.links import address, quoted
from ledger.eligibility import Asking, Thing, judged
from ledger.state import Key
from ledger.state.entities import (
    Account,
    Entity,
    Instance,
    InstanceStatus,
    Purchase,
    Reservation,
)
from ledger.state.reading import existing
from ledger.values.instants import format_instant
from ledger.values.money import Currency, parse_decimal12
from ledger.vocabulary.commands import QuoteReservationRefund
from ledger.vocabulary.shapes import AccountType, SourceKind
from ledger.vocabulary.validation import body_problems

Json = dict[str, Any]
THINGS_OF_A_PAGE = 20
ENDED = frozenset({"DESTROYED", "REFUNDED", "CANCELLED", "EXCHANGED", "EXPIRED"})
WORDS = {
    "ReturnInstance": N_("Return and refund"),
    "DestroyPostpaidInstance": N_("Destroy"),
    "RestoreInstance": N_("Power on"),
    "TakeInstanceOffline": N_("Take offline now"),
    "DowngradeInstance": N_("Downgrade"),
    "RequestMarketplaceRefund": N_("Apply for a refund"),
    "WithdrawMarketplaceRefund": N_("Withdraw the application"),
    "ConfirmService": N_("Confirm the service"),
    "RefundReservation": N_("Refund"),
    "ExchangeReservations": N_("Exchange"),
    "SwapReservation": N_("Swap the size"),
    "TransferReservation": N_("Transfer"),
}
"""Act → the words of its button."""


class ShownAct(Struct, frozen=True, kw_only=True):
    """An act with its button: where it leads, and the verdict on it, which tells what it brings, or
    every reason against it.
    """

    name: str
    words: str
    href: str
    may: bool
    verdict: Json


class ShownThing(Struct, frozen=True, kw_only=True):
    """An instance, purchase or reservation with its acts; none where a rate is missing."""

    kind: str
    id: str
    status: str
    acts: tuple[ShownAct, ...]

    @property
    def ended(self) -> bool:
        """Whether it is over with it."""
        return self.status in ENDED


class ShownThings(Struct, frozen=True, kw_only=True):
    """Some of an account's things, as of an event, judged at an instant by a version of the terms.

    `rate_asked`: say what a unit of the currency is worth, or nothing is told of reservations;
    `rate_wrong`: why what was said is no rate. `next_start`: where the following ones begin.
    """

    things: tuple[ShownThing, ...]
    total: int
    start: int
    next_start: int | None
    at: str
    terms: str
    sequence: int
    currency: Currency
    rate_asked: bool
    rate_wrong: str


def things_of(
    backend: Backend,
    account_id: str,
    *,
    usd_rate: str = "",
    support: bool = False,
    start: int = 0,
    count: int = THINGS_OF_A_PAGE,
    say: Saying = ENGLISH,
) -> ShownThings:
    """Those that have not ended first. Only what is shown is judged, however many there are."""
    with backend.folded.folded(backend.connection, account_id) as found:
        state, now, entities = found.state, found.place.now, found.state.entities()
        account = existing(state, Account, account_id, "")
        currency, online = account.currency, account.account_type is AccountType.ONLINE
        keys = _in_order(entities)
        chosen = keys[start : start + count]
        wrong = _wrong_rate(currency, usd_rate, say)
        rated = currency == "USD" or bool(usd_rate and not wrong)
        asking = Asking(
            now=now,
            terms=backend.terms.at(now),
            usd_rate=usd_rate if rated and usd_rate else "1",
            support=support,
        )
        can = [key for key in chosen if rated or key.kind is not Reservation]
        verdicts = dict(zip(can, judged(state, can, asking), strict=True))
        return ShownThings(
            things=tuple(_shown(key, entities[key], verdicts.get(key), currency) for key in chosen),
            total=len(keys),
            start=start,
            next_start=start + count if len(keys) > start + count else None,
            at=format_instant(now),
            terms=asking.terms.version,
            sequence=found.sequence,
            currency=currency,
            rate_asked=currency != "USD"
            and not online  # which has no reservations
            and any(key.kind is Reservation for key in keys),
            rate_wrong=wrong,
        )


def _in_order(entities: Mapping[Key, Entity]) -> list[Key]:
    """The things in the order they came to be, those that have ended behind the others."""
    going: list[Key] = []
    ended: list[Key] = []
    for key, entity in entities.items():
        if type(entity) in KINDS:  # a large account has many more that are none
            (ended if _status(entity) in ENDED else going).append(key)
    return [*going, *ended]


def _wrong_rate(currency: Currency, told: str, say: Saying) -> str:
    """Why this is no rate of the currency; empty if it is one, or nothing was said."""
    if not told:
        return ""
    for problem in body_problems(QuoteReservationRefund(reservation_id="any", usd_rate=told)):
        expected = say.expected(problem.expected)
        return say.said("{found} is not {expected}", found=problem.value, expected=expected)
    if currency == "USD" and parse_decimal12(told) != 1:
        return say.said("the account is in USD, its rate is 1, not {rate}", rate=told)
    return ""


def _status(entity: Entity) -> str:
    assert isinstance(entity, Instance | Purchase | Reservation)
    return entity.status


KINDS: dict[type[object], SourceKind] = {
    Instance: SourceKind.INSTANCE,
    Purchase: SourceKind.MARKETPLACE,
    Reservation: SourceKind.RESERVATION,
}


def _shown(key: Key, entity: Entity, thing: Thing | None, currency: Currency) -> ShownThing:
    acts = [] if thing is None else list(_acts(key, thing, currency))
    prepaid = isinstance(entity, Instance) and bool(entity.orders)
    if prepaid and _status(entity) == InstanceStatus.RUNNING:
        acts.append(_downgrade(key))
    return ShownThing(
        kind=KINDS[key.kind].value, id=key.entity_id, status=_status(entity), acts=tuple(acts)
    )


def _downgrade(key: Key) -> ShownAct:
    """What it brings is known once the smaller configuration is."""
    return ShownAct(
        name="DowngradeInstance",
        words=WORDS["DowngradeInstance"],
        href=act_path(key.account_id, "DowngradeInstance", key.entity_id),
        may=True,
        verdict={
            "act": "DowngradeInstance",
            "ask": {"command": "QuoteInstanceDowngrade"},
            "may": True,
            "brings": None,
            "to_give": [N_("the smaller configuration")],
            "must": [],
            "violations": [],
        },
    )


def _acts(key: Key, thing: Thing, currency: Currency) -> Iterator[ShownAct]:
    for verdict in thing.acts:
        told = verdict_to_json(verdict, currency)
        yield ShownAct(
            name=told["act"],
            words=WORDS[told["act"]],
            href=act_path(key.account_id, told["act"], key.entity_id),
            may=told["may"],
            verdict=told,
        )


def act_path(account_id: str, act: str, thing: str, **more: str) -> str:
    """The page on which a person gives a command about a thing."""
    return address(f"/accounts/{quoted(account_id)}/acts/{act}", {"thing": thing, **more})

"""What an act is about: the thing, its facts, what the act would bring, what stands in the way."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from console.explaining.eligibility import eligibility_of
from console.rendering.reports.answers import cell_text
from console.rendering.reports.eligibility import eligibility_to_json
from console.terminal.errors import BadInput
from console.web.backend import Backend
from console.web.pages.acting.acts import ActPage
from ledger.values.money import Currency
from ledger.vocabulary.shapes import Actor, Role, SourceKind
from projector.asking.histories import history
from projector.asking.queries import ask
from projector.questions import QUESTIONS

Json = dict[str, Any]
_FACTS = {
    SourceKind.INSTANCE: ("instances", "instance_id"),
    SourceKind.RESERVATION: ("reservations", "reservation_id"),
}


class Thing(Struct, frozen=True, kw_only=True):
    """A thing of the account, and the verdict on the act; None where none is known."""

    id: str
    state: str
    verdict: Json | None

    @property
    def may(self) -> bool:
        """Whether nothing is known to stand in the way."""
        return self.verdict is None or bool(self.verdict["may"])


class Things(Struct, frozen=True, kw_only=True):
    """All things that an act may be about."""

    all: tuple[Thing, ...]

    def find(self, thing_id: str) -> Thing | None:
        """The one with this id."""
        return next((each for each in self.all if each.id == thing_id), None)


def things_of(
    backend: Backend,
    account_id: str,
    page: ActPage,
    actor: Actor | None,
    usd_rate: str | None = None,
) -> Things:
    """The account's things of the kind that the act is about, in the order they came to be.

    Without a rate of an account that is not in US dollars, no verdict is given where it counts.
    Raises UnknownAccount.
    """
    with backend.connection() as connection:
        events = history(connection, account_id)
    support = actor is not None and actor.role is Role.SUPPORT
    by = None if actor is None or support else actor.id
    told, judged = usd_rate, True
    try:
        found = eligibility_of(events, backend.terms, usd_rate=told, actor_id=by, support=support)
    except BadInput:
        judged = page.thing_field != "reservation_id" or page.quote is None
        found = eligibility_of(events, backend.terms, usd_rate="1", actor_id=by, support=support)
    things = tuple(
        Thing(
            id=each["id"],
            state=each["state"],
            verdict=next((act for act in each["acts"] if judged and act["act"] == page.name), None),
        )
        for each in eligibility_to_json(found)["things"]
        if each["kind"] == page.thing_kind
    )
    return Things(all=things)


def facts_of(
    backend: Backend, account_id: str, kind: SourceKind | None, thing_id: str
) -> list[tuple[str, str]]:
    """What the read models say of a thing, by the names of the columns; empty ones are left out."""
    if kind not in _FACTS:
        return []
    name, id_column = _FACTS[kind]
    told_apart = {"account_id", "state", id_column}
    question = QUESTIONS[name]
    names = [column.name for column in question.columns]
    with backend.connection() as connection:
        rows = ask(connection, question, account_id).rows
    row = next((row for row in rows if row[names.index(id_column)] == thing_id), ())
    return [
        (column.name, text)
        for column, cell in zip(question.columns, row, strict=False)
        if column.name not in told_apart and (text := cell_text(column, cell))
    ]


def currency_of(backend: Backend, account_id: str) -> Currency | None:
    """The account's currency; None if it was never opened."""
    return backend.currencies([account_id]).get(account_id)

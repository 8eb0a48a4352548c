"""What an act is about: the thing, what the act would bring, what stands in the way."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import Struct

from console.explaining.eligibility import eligibility_in
from console.rendering.reports.eligibility import eligibility_to_json
from console.terminal.errors import BadInput
from console.web.backend import Backend
from console.web.pages.accounts.things import KINDS
from console.web.pages.acting.act_page import ActPage
from ledger.eligibility import held
from ledger.vocabulary.shapes import Actor, Role

Json = dict[str, Any]


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
    thing_id: str = "",
) -> Things:
    """The account's things of the kind that the act is about, in the order they came to be; of an
    id the one that has it. Only these are judged, however many things the account has.

    Without a rate of an account that is not in US dollars, no verdict is given where it counts.
    Raises UnknownAccount.
    """
    support = actor is not None and actor.role is Role.SUPPORT
    by = None if actor is None or support else actor.id
    judged = True
    with backend.folded.folded(backend.connection, account_id) as account:
        keys = [
            key
            for key in held(account.state, account_id)
            if KINDS[key.kind] is page.thing_kind and thing_id in ("", key.entity_id)
        ]
        judge = partial(
            eligibility_in, account, backend.terms, keys=keys, actor_id=by, support=support
        )
        try:
            found = judge(usd_rate=usd_rate)
        except BadInput:
            judged = page.thing_field != "reservation_id" or page.quote is None
            found = judge(usd_rate="1")
    things = tuple(
        Thing(
            id=each["id"],
            state=each["state"],
            verdict=next((act for act in each["acts"] if judged and act["act"] == page.name), None),
        )
        for each in eligibility_to_json(found)["things"]
    )
    return Things(all=things)

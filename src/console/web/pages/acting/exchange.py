"""An exchange begins with two steps: choose what goes back, then choose what comes."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from msgspec import Struct

from console.web.pages.acting.facts import facts_of
from console.web.pages.acting.forms.reading import Json, flat
from console.web.pages.acting.forms.showing import Filled, controls_of
from console.web.pages.acting.things import things_of
from console.web.pages.acting.visit import Visit
from console.web.problems import Problem
from ledger.vocabulary.shapes import SourceKind

_SAME = ("product_type", "sku", "region", "quantity", "term_months", "billing_plan")
_PAID = {"payment_method": "method", "term_id": "term_id", "card_id": "card_id"}


class Leg(Struct, frozen=True, kw_only=True):
    """A reservation that may go back: whether it is chosen, and how many of it."""

    id: str
    state: str
    may: bool
    why: tuple[Json, ...]
    brings: Json | None
    chosen: bool
    quantity: str


def begin_exchange(visit: Visit, told: Json, filled: Filled, more: str, **shown: Any) -> Response:
    """The first of the two steps, or the second one where something was chosen."""
    typed = told.get("returns", [])
    chosen = [each for each in typed if each.get("reservation_id")]
    status = 400 if filled.faults else 200
    if not chosen or (visit.told.get("step", "returns") == "returns" and not more):
        return _returns(visit, chosen, **shown)
    first = _like(visit, chosen[0]["reservation_id"])
    purchases = told.get("purchases") or [first]
    controls = controls_of(
        visit.page.asked, {"purchases": purchases}, filled, visit.page.not_typed | {"returns"}
    )
    goes_back = dict(flat({"returns": chosen}))
    shown["hidden"] = goes_back | shown["hidden"]
    return visit.show(
        "exchange_purchases",
        status,
        step="purchases",
        controls=controls,
        legs=[leg for leg in _legs(visit, chosen) if leg.chosen],
        **shown,
    )


def _returns(visit: Visit, chosen: list[Json], **shown: Any) -> Response:
    """What may go back; asked for again where nothing was chosen."""
    asked = visit.told.get("thing")
    preset = chosen or ([{"reservation_id": asked}] if asked else [])
    legs = _legs(visit, preset)
    if asked and not any(leg.id == asked for leg in legs):
        raise Problem(404, "Not found", f"account {visit.account_id} has no reservation {asked}")
    nothing = visit.told.get("step") == "purchases"
    return visit.show(
        "exchange_returns",
        400 if nothing else 200,
        step="returns",
        legs=legs,
        nothing=nothing,
        **shown,
    )


def _legs(visit: Visit, chosen: list[Json]) -> list[Leg]:
    quantities = {each["reservation_id"]: str(each.get("quantity", "")) for each in chosen}
    things = things_of(visit.backend, visit.account_id, visit.page, None)
    return [
        Leg(
            id=each.id,
            state=each.state,
            may=each.may,
            why=tuple((each.verdict or {}).get("violations", ())),
            brings=(each.verdict or {}).get("brings"),
            chosen=each.id in quantities,
            quantity=quantities.get(each.id, ""),
        )
        for each in things.all
    ]


def _like(visit: Visit, reservation_id: str) -> Json:
    """A purchase of the same kind as what goes back, to be changed."""
    facts = dict(facts_of(visit.backend, visit.account_id, SourceKind.RESERVATION, reservation_id))
    same = {name: facts[name] for name in _SAME if name in facts}
    paid = {name: facts[column] for column, name in _PAID.items() if column in facts}
    return same | ({"payment": paid} if paid else {})

"""The steps of an act: what each page shows, and what each form leads to."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from fastapi.responses import RedirectResponse

from console.web.pages.acting.exchange import begin_exchange
from console.web.pages.acting.facts import facts_of
from console.web.pages.acting.forms.reading import Json, body_of, flat
from console.web.pages.acting.forms.showing import Filled, controls_of
from console.web.pages.acting.giving import (
    NotKnown,
    new_form,
    publish,
    read,
)
from console.web.pages.acting.quotes import Refused, ShownQuote, quote_of
from console.web.pages.acting.things import Thing, Things, things_of
from console.web.pages.acting.visit import Visit
from console.web.pages.rendering.sayings import saying_of
from console.web.problems import Fault, FieldFault, Problem, fault_told
from ledger.values.instants import Instant, format_instant
from ledger.values.money import format_minor
from ledger.values.wording import seen, worded
from ledger.vocabulary.commands import ExchangeReservations, QuoteReservationRefund
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import CommandRefused, RefundIssued
from ledger.wire.json.mapping import value_to_json
from projector.asking.histories import present, story

_QUOTE_CODES = frozenset({"QUOTE_EXPIRED", "QUOTE_USED", "QUOTE_CHANGED", "QUOTE_REQUIRED"})
_MARKS = ("form", "as", "agreed", "was")
_SECONDS_TO_ASK_AGAIN = 2


def begin(visit: Visit, told: Json, fault: FieldFault | None = None, more: str = "") -> Response:
    """Step 1: the thing with its rules, and the fields; or the things to choose from.

    `told` is what fills the fields, `fault` why what was sent cannot be taken.
    """
    page, chosen = visit.page, visit.told.get("thing", "")
    terms = visit.backend.terms.at(_now(visit))
    say = saying_of(visit.request)
    faults = [fault_told(each, say) for each in fault.faults] if fault else []
    filled = Filled(
        faults={each["field"]: f"{each['found']}: {each['expected']}" for each in faults}, more=more
    )
    own = {page.thing_field: chosen} if page.guided and page.thing_field else {}
    shown: dict[str, Any] = {
        "faults": faults,
        "hidden": own | _thing(visit) | _marks(visit) | {"form": _form(visit)},
        "agreed": visit.told.get("acknowledged") == "yes",
        "terms": terms,
        "cap": format_minor(terms.cap_usd, "USD"),
    }
    if page.act is ExchangeReservations:
        return begin_exchange(visit, told, filled, more, **shown)
    values = _presets(visit) | told
    if page.thing_kind is not None:
        things = things_of(
            visit.backend, visit.account_id, page, _actor(visit), values.get("usd_rate"), chosen
        )
        if not chosen:
            return visit.show("choose", things=things.all)
        thing = _found(visit, things, chosen)
        values = _known(thing, page.name) | values
        shown["thing"] = thing
        shown["facts"] = facts_of(visit.backend, visit.account_id, page.thing_kind, chosen)
    return visit.show(
        "begin",
        400 if fault else 200,
        step=page.steps[0],
        controls=controls_of(page.asked, values, filled, page.not_typed | set(own)),
        next="review" if page.quote is None else "quote",
        **{"thing": None, "facts": [], **shown},
    )


def ask_for_quote(visit: Visit) -> Response:
    """Step 2 of an act that is quoted first: gives the quote command, and leads to its answer."""
    told = _body(visit)
    if visit.page.agrees and visit.told.get("acknowledged") != "yes":
        return begin(visit, told, _not_agreed())
    try:
        given = publish(visit, read(visit, visit.page.asked, told, visit.told.get("form", "")))
    except FieldFault as fault:
        return begin(visit, told, fault)
    except NotKnown as unknown:
        return _not_known(visit, unknown)
    return RedirectResponse(visit.at(quote=given.command_id, agreed="yes"), 303)


def show_quote(visit: Visit) -> Response:
    """The list with amounts, or what stands in the way; with `step=confirm` the second question."""
    page, command_id = visit.page, visit.told["quote"]
    found = quote_of(visit, command_id)
    if found is None:
        return _waiting(visit, command_id)
    if isinstance(found, Refused):
        return visit.show("refused", violations=found.violations, again=None, command_id=command_id)
    if visit.told.get("step") == "begin":
        return begin(visit, found.asked(page))
    again = visit.told.get("step") == "confirm" and page.twice
    if again and (found.expired or found.violations or visit.told.get("agreed") != "yes"):
        return RedirectResponse(visit.at(quote=command_id), 303)
    before = quote_of(visit, was) if (was := visit.told.get("was")) else None
    return visit.show(
        "again" if again else "quote",
        step=("again" if again else page.steps[-2] if not page.twice else "list"),
        quote=found,
        before=before if isinstance(before, ShownQuote) else None,
        facts=facts_of(
            visit.backend, visit.account_id, page.thing_kind, visit.told.get("thing", "")
        ),
        confirmed=_confirmed(visit, found),
        renewed=_renewed(visit, found),
    )


def review(visit: Visit) -> Response:
    """Step 2 of another act: what is about to be given, to be confirmed."""
    told = _body(visit)
    if visit.page.agrees and visit.told.get("acknowledged") != "yes":
        return begin(visit, told, _not_agreed())
    told = _with_agreement(visit, told)
    try:
        read(visit, visit.page.act, told, visit.told.get("form", ""))
    except FieldFault as fault:
        return begin(visit, told, fault)
    return visit.show(
        "review",
        step="confirm",
        told=list(flat(told)),
        hidden=_marks(visit) | _thing(visit) | dict(flat(told)),
    )


def act(visit: Visit) -> Response:
    """The last step: gives the command, and leads to what came of it."""
    quoted = visit.told.get("quote", "") if visit.page.quote else ""
    if visit.page.quote and not quoted:
        return begin(visit, _body(visit))
    try:
        given = _of_quote(visit, quoted) if quoted else _of_form(visit)
    except FieldFault as fault:
        return begin(visit, _body(visit), fault)
    if isinstance(given, Response):
        return given
    try:
        done = publish(visit, given)
    except NotKnown as unknown:
        return _not_known(visit, unknown)
    if done.waits:
        return RedirectResponse("/approvals", 303)
    other = "yes" if done.other else ""
    return RedirectResponse(visit.at(done=done.command_id, quote=quoted, other=other), 303)


def show_outcome(visit: Visit) -> Response:
    """What came of the command: refused with every rule, or its events and their follow-ups."""
    command_id = visit.told["done"]
    with visit.backend.connection() as connection:
        found = story(connection, visit.account_id, command_id)
    if not found.own:
        return _waiting(visit, command_id)
    first = found.own[0].body
    if isinstance(first, CommandRefused):
        violations = value_to_json(first)["violations"]
        return visit.show(
            "refused",
            violations=violations,
            again=_new_quote(visit, violations),
            command_id=command_id,
        )
    refunds = [value_to_json(e.body) for e in found.own if isinstance(e.body, RefundIssued)]
    answer = visit.show(
        "done",
        step="done",
        command_id=command_id,
        refunds=refunds,
        events=[
            {"name": each.name, "at": format_instant(each.meta.recorded_at), "body": each.body}
            for each in (*found.own, *found.caused)
        ],
        other=visit.told.get("other") == "yes",
    )
    if refunds and not found.caused and any(each["amount"].strip("0.") for each in refunds):
        answer.headers["Refresh"] = str(_SECONDS_TO_ASK_AGAIN)
    return answer


def _of_quote(visit: Visit, quoted: str) -> GivenCommand | Response:
    """The act on a quote, for the amount that was shown; or the way back to the quote."""
    found = quote_of(visit, quoted)
    if not isinstance(found, ShownQuote):
        return RedirectResponse(visit.at(quote=quoted), 303)
    told = found.acting(visit.page) | {
        "confirmed_amount": found.body["amount"],
        "acknowledged": visit.told.get("acknowledged") == "yes",
    }
    given = read(visit, visit.page.act, told, quoted)
    with visit.backend.connection() as connection:
        known = story(connection, visit.account_id, given.meta.command_id).own
    if found.expired and not known:
        return RedirectResponse(visit.at(quote=quoted), 303)
    return given


def _of_form(visit: Visit) -> GivenCommand:
    told = _with_agreement(visit, _body(visit))
    return read(visit, visit.page.act, told, visit.told.get("form", ""))


def _new_quote(visit: Visit, violations: list[Json]) -> Json | None:
    """The fields of a form for a new quote, if the old one is what stood in the way."""
    if not {each["code"] for each in violations} & _QUOTE_CODES:
        return None
    found = quote_of(visit, visit.told.get("quote", ""))
    return _renewed(visit, found) if isinstance(found, ShownQuote) else None


def _renewed(visit: Visit, quote: ShownQuote) -> Json:
    """A form that asks the same again, beside the old amount."""
    told = dict(flat(quote.asked(visit.page)))
    marks = _marks(visit) | _thing(visit) | {"form": new_form(), "was": quote.command_id}
    return told | marks | {"acknowledged": "yes"}


def _confirmed(visit: Visit, quote: ShownQuote) -> Json:
    """A form that acts on the quote, for exactly its amount."""
    marks = {name: value for name, value in _marks(visit).items() if name != "form"}
    return (
        marks
        | _thing(visit)
        | {
            "quote": quote.command_id,
            "quote_id": quote.body["quote_id"],
            "confirmed_amount": quote.body["amount"],
            "acknowledged": "yes" if visit.told.get("agreed") == "yes" else "no",
        }
    )


def _body(visit: Visit) -> Json:
    told = body_of(visit.page.asked, visit.told)
    return {name: value for name, value in told.items() if name not in visit.page.not_typed}


def _with_agreement(visit: Visit, told: Json) -> Json:
    if not visit.page.agrees:
        return told
    return told | {"acknowledged": visit.told.get("acknowledged") == "yes"}


def _presets(visit: Visit) -> Json:
    """What fills a field that nobody typed in yet: the thing, and the rate of a dollar."""
    found: Json = {}
    if visit.page.asked is QuoteReservationRefund and visit.currency == "USD":
        found["usd_rate"] = "1"
    if visit.told.get("thing") and visit.page.thing_field:
        found[visit.page.thing_field] = visit.told["thing"]
    return found


def _found(visit: Visit, things: Things, thing_id: str) -> Thing:
    thing = things.find(thing_id)
    if thing is None:
        kind = str(visit.page.thing_kind).lower()
        raise Problem(404, "Not found", f"account {visit.account_id} has no {kind} {thing_id}")
    return thing


def _known(thing: Thing, name: str) -> Json:
    """What is known of the fields: what the verdict was asked with."""
    if thing.verdict is None or not thing.may or thing.verdict["ask"]["command"] != name:
        return {}
    return dict(thing.verdict["ask"]["body"])


def _form(visit: Visit) -> str:
    return visit.told.get("form") or new_form()


def _now(visit: Visit) -> Instant:
    with visit.backend.connection() as connection:
        return present(connection)


def _marks(visit: Visit) -> Json:
    return {name: visit.told[name] for name in _MARKS if visit.told.get(name)}


def _thing(visit: Visit) -> Json:
    return {"thing": visit.told["thing"]} if visit.told.get("thing") else {}


def _actor(visit: Visit) -> Any:
    try:
        return visit.actor()
    except FieldFault:
        return None


def _not_agreed() -> FieldFault:
    expected = worded("that you have read the rules and agree to them")
    return FieldFault([Fault(field="acknowledged", found=seen("nothing"), expected=expected)])


def _waiting(visit: Visit, command_id: str) -> Response:
    """Nothing is known of the command yet: the page asks again by itself."""
    answer = visit.show("waiting", 202, command_id=command_id, step="done")
    answer.headers["Refresh"] = str(_SECONDS_TO_ASK_AGAIN)
    return answer


def _not_known(visit: Visit, unknown: NotKnown) -> Response:
    """The brokers or the database do not answer: the same form again, with the same id."""
    hidden = visit.sent_again
    return visit.show("unknown", 503, command_id=unknown.command_id, hidden=hidden)

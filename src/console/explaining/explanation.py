"""Explains a decision from its events: an amount step by step, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from console.explaining.event_sources import Entry, Found, Json, is_of, issued_by
from console.rendering.reports.reasons import amounts_of, in_words
from console.rendering.sentences.saying import ENGLISH, Saying
from console.terminal.errors import BadInput
from ledger.rulebook import RULES
from ledger.rulebook.numbers import numbers
from ledger.terms.table import TermsTable
from ledger.vocabulary.shapes import RefundRule

_RULES_OF = {
    RefundRule.FIVE_DAYS_NO_REASON: ("five_days_no_reason", "upgrade", "promotion_order"),
    RefundRule.ORDINARY_RETURN: ("ordinary_return", "upgrade", "promotion_order"),
    RefundRule.DOWNGRADE: ("downgrade", "ordinary_return", "upgrade", "promotion_order"),
    RefundRule.MARKETPLACE_REVIEW: ("paid_only", "review_period", "three_days", "arrival"),
    RefundRule.MARKETPLACE_MANUAL: ("manual_refund", "arrival"),
    RefundRule.RESERVATION_REFUND: ("prorated_value", "termination_fee", "refund_cap"),
}
_ONLY_WITH_STEP = {"promotion_order": "promotion_fee", "upgrade": "upgrade_left"}
_ANSWERS = ("RefundOverpaid", "GatewayAnswerRecorded", "RefundSettled", "RefundHeld")
_LAST = ("RefundIssued", "ReservationExchanged", "CommandRefused", *_ANSWERS)


class Explanation(Struct, frozen=True, kw_only=True):
    """How an amount was calculated, or why a command was refused.

    `events` are the outcome itself, `rests_on` the earlier events about the same entities, `then`
    the later events of its refunds.
    """

    verdict: str
    id: str
    account: str
    asked: Json
    terms: Json
    rules: list[Json]
    working: list[Json]
    amounts: Json
    violations: list[Json]
    postings: list[Json]
    events: tuple[Entry, ...]
    rests_on: tuple[Entry, ...]
    then: tuple[Entry, ...]


def explained(found: Found, wanted: str, account: str | None, table: TermsTable) -> Explanation:
    """The explanation of a refund or command. BadInput if there is none, or more than one."""
    outcome = _outcome(found, wanted, account)
    main = next((each for each in outcome if each.event in _LAST), outcome[-1])
    first = outcome[0]
    earlier = [each for each in found.entries if _before(each, first)]
    body = found.commands.get((first.account, first.causation_id), {})
    rules = _rules(main)
    return Explanation(
        verdict="refused" if main.event == "CommandRefused" else "accepted",
        id=wanted,
        account=first.account,
        asked=_asked(first, main, body),
        terms=_terms(first.terms, rules, table),
        rules=[
            {"rule": name, "says": RULES[name].says, "source": RULES[name].source}
            for name in rules
            if name in RULES
        ],
        working=main.body.get("working", []),
        amounts=amounts_of(main.body),
        violations=main.body.get("violations", []),
        postings=[posting for each in outcome for posting in each.body.get("postings", [])],
        events=outcome,
        rests_on=tuple(_about(earlier, _named((*(each.body for each in outcome), body)))),
        then=tuple(_afterwards(found, outcome)),
    )


def explanation_to_json(told: Explanation, say: Saying = ENGLISH) -> Json:
    """An explanation as one JSON object."""
    found: Json = {name: getattr(told, name) for name in Explanation.__struct_fields__}
    for name in ("events", "rests_on", "then"):
        found[name] = [_pointer(each) for each in found[name]]
    found["violations"] = in_words(told.violations, say)
    return found


def _outcome(found: Found, wanted: str, account: str | None) -> tuple[Entry, ...]:
    """The events of the one command that the id is of, or that issued the refund of that id."""
    hits = [
        each for each in found.entries if is_of(each, wanted) and account in (None, each.account)
    ]
    if not hits:
        where = "" if account is None else f" in account {account}"
        raise BadInput(
            f"there is no refund and no command {wanted!r}{where}; give the id of one, as "
            "'refundctl query refunds' or the event shows it"
        )
    accounts = sorted({each.account for each in hits})
    if len(accounts) > 1:
        names = ", ".join(accounts)
        raise BadInput(f"{wanted!r} is in several accounts ({names}); name one with --account")
    issued = next((each for each in hits if wanted in issued_by(each)), hits[0])
    same = [
        each
        for each in found.entries
        if (each.account, each.causation_id) == (issued.account, issued.causation_id)
    ]
    own = [each for each in same if each.source == issued.source]
    # An id given again with other content is answered later, by a refusal of its own.
    start = own[0].sequence
    return tuple(each for place, each in enumerate(own) if each.sequence == start + place)


def _before(entry: Entry, first: Entry) -> bool:
    return entry.account == first.account and entry.sequence < first.sequence


def _asked(first: Entry, main: Entry, body: Json) -> Json:
    asked: Json = {
        "command": body.get("command") or main.body.get("command_type"),
        "command_id": first.causation_id,
        "actor": first.actor,
        "approved_by": first.approved_by,
        "decided_at": first.at,
        "body": {name: value for name, value in body.items() if name != "command"},
        "stood_at": first.stood_at,
        **_signature(first),
    }
    return {name: value for name, value in asked.items() if value not in (None, {})}


def _rules(main: Entry) -> list[str]:
    """The rules behind the decision, by name, each once."""
    named = [each["rule"] for each in main.body.get("violations", [])]
    if main.event == "RefundCorrected":
        named = ["corrections"]
    elif main.body.get("gateway_reference"):
        named = ["two_answers_of_a_gateway", "settle_to_the_card"]
    elif main.event == "ReservationExchanged":
        named = ["exchange", "prorated_value", "at_least_as_much", "two_transactions"]
    elif rule := main.body.get("rule"):
        steps = {step["step"] for step in main.body.get("working", [])}
        computed = _RULES_OF[RefundRule(rule)]
        named = [name for name in computed if _ONLY_WITH_STEP.get(name) in (None, *steps)] + named
    return list(dict.fromkeys(named))


def _terms(version: str | None, rules: Iterable[str], table: TermsTable) -> Json:
    """The version that was in force, and those of its numbers that the rules use."""
    if version is None:
        return {}
    try:
        terms = table.version(version)
    except LookupError:
        return {"version": version}
    told: Json = {"version": version}
    for rule in rules:
        if rule in RULES:
            told |= numbers(RULES[rule], terms)
    return told


def _named(bodies: Iterable[Json]) -> frozenset[str]:
    """The ids of all entities that bodies name: instances, orders, quotes and so on."""
    return frozenset(name for body in bodies for name in _ids(body, ""))


def _ids(value: Any, name: str) -> Iterator[str]:
    match value:
        case dict():
            for key, part in value.items():
                yield from _ids(part, key)
        case list():
            for part in value:
                yield from _ids(part, name)
        case str() if name == "id" or (name.endswith("_id") and name not in _NO_SUBJECTS):
            yield value
        case str() if name in _FIGURES:
            yield value


_FIGURES = frozenset({"instance", "purchase", "reservation", "order", "refund", "quote"})
_NO_SUBJECTS = frozenset({"command_id", "vendor_id", "buyer_id", "term_id", "invoice_id"})


def _about(entries: Iterable[Entry], subjects: frozenset[str]) -> Iterator[Entry]:
    """The events about one of these entities; nothing depends on a refusal."""
    for entry in entries:
        if entry.event != "CommandRefused" and subjects & _named([entry.body]):
            yield entry


def _afterwards(found: Found, outcome: tuple[Entry, ...]) -> Iterator[Entry]:
    """The later events of the refunds that the outcome issued."""
    refunds = {refund for each in outcome for refund in issued_by(each)}
    last = outcome[-1]
    for entry in found.entries:
        later = entry.account == last.account and entry.sequence > last.sequence
        if later and entry.body.get("refund_id") in refunds:
            yield entry


def _pointer(entry: Entry) -> Json:
    told = {
        "event": entry.event,
        "event_id": entry.id,
        "sequence": entry.sequence,
        "recorded_at": entry.at,
        "occurred_at": entry.occurred_at,
        "partition": entry.partition,
        "offset": entry.offset,
        "log_sequence": entry.log_sequence,
        **_signature(entry),
    }
    return {name: value for name, value in told.items() if value is not None}


def _signature(entry: Entry) -> Json:
    """Who ordered it, as the log says."""
    return {
        "signed": entry.signed,
        "origin": entry.origin,
        "origin_key": entry.origin_key,
        "origins": entry.origins,
    }

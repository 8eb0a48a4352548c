"""Tells what may be done with each thing of an account: as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from rich.table import Table

from console.rendering.reports.reasons import (
    Json,
    amounts_of,
    in_words,
    pairs,
    violation_lines,
    violation_told,
    why_told,
    working_lines,
)
from console.rendering.sentences.saying import ENGLISH, Saying
from ledger.eligibility import Thing, Verdict
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency
from ledger.vocabulary.events import ReservationExchangeQuoted
from ledger.wire.json.mapping import value_to_json
from projector.asking.histories import History

_OF_WHAT_IS_BOUGHT = ("amount", "purchased_total", "payable", "at_least_as_much")
"""Amounts and steps of an exchange that nobody knows while its purchases are still to be given."""


class Eligibility(Struct, frozen=True, kw_only=True):
    """What was found for an account at an instant, by the terms then, and what it rests on: the
    place in `history`, and the number of all the account's events.
    """

    history: History
    events: int
    currency: Currency
    at: Instant
    terms: str
    things: tuple[Thing, ...]


def eligibility_to_json(found: Eligibility, say: Saying = ENGLISH) -> Json:
    """All of it as one JSON object."""
    history = found.history
    return {
        "account": history.account_id,
        "at": format_instant(found.at),
        "terms": found.terms,
        "as_of": {
            "partition": history.partition,
            "log_sequence": history.log_sequence,
            "recorded_at": format_instant(history.recorded_at),
            "events": found.events,
        },
        "things": [
            {
                "kind": thing.kind.value,
                "id": thing.id,
                "state": thing.status,
                "acts": [verdict_to_json(each, found.currency, say) for each in thing.acts],
            }
            for thing in found.things
        ],
    }


def verdict_to_json(verdict: Verdict, currency: Currency, say: Saying = ENGLISH) -> Json:
    """One act: what to send first, what is still to be given, what it brings, what forbids it."""
    asked, then = verdict.asked, verdict.then
    body = value_to_json(asked.body, currency)
    money = {} if verdict.brings is None else value_to_json(verdict.brings, currency)
    unknown = _unknown(verdict)
    brings = {name: money[name] for name in ("rule",) if name in money} | amounts_of(money)
    return {
        "act": verdict.act.__name__,
        "may": verdict.may,
        "ask": {
            "command": asked.name,
            "actor": value_to_json(asked.meta.actor),
            "body": {name: value for name, value in body.items() if name not in verdict.to_give},
        },
        "to_give": list(verdict.to_give),
        "must": in_words(map(value_to_json, verdict.must), say),
        "brings": {name: value for name, value in brings.items() if name not in unknown} or None,
        "after": None if then is None else then.__name__,
        "violations": in_words(map(value_to_json, verdict.violations), say),
        "working": [step for step in money.get("working", []) if step["step"] not in unknown],
    }


def eligibility_head(found: Eligibility) -> str:
    """For whom, when, by what, and how far the read models had come."""
    history = found.history
    return (
        f"account {history.account_id} at {format_instant(found.at)}, terms version {found.terms}\n"
        f"as of its event {found.events}; partition {history.partition} is shown up to "
        f"log_sequence {history.log_sequence}, recorded {format_instant(history.recorded_at)}"
    )


def eligibility_table(found: Eligibility) -> Table:
    """A row for each act of each thing; one for several that the same stands in the way of."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("thing", "state", "act", "may"):
        table.add_column(name, overflow="fold")
    table.add_column("brings", overflow="fold", ratio=1)
    table.add_column("stands in the way, or is to be given", overflow="fold", ratio=2)
    for thing in found.things:
        for place, (names, told) in enumerate(_rows(thing, found.currency)):
            table.add_row(
                "" if place else thing.id,
                "" if place else thing.status,
                "\n".join(names),
                "yes" if told["may"] else "no",
                brings_told(told),
                "\n".join(conditions_told(told)),
            )
    return table


def eligibility_workings(found: Eligibility) -> Iterator[str]:
    """Every act that moves money or is forbidden, with its steps and the figures compared."""
    for thing in found.things:
        for names, told in _rows(thing, found.currency):
            lines = [
                *working_lines(told["working"]),
                *violation_lines(told["violations"]),
                *violation_lines(told["must"]),
            ]
            if lines:
                yield f"\n{thing.id} {', '.join(names)}"
                yield from (f"  {line}" for line in lines)


def _rows(thing: Thing, currency: Currency) -> list[tuple[list[str], Json]]:
    """The names of acts, and what holds for all of them."""
    rows: list[tuple[list[str], Json]] = []
    for verdict in thing.acts:
        told = verdict_to_json(verdict, currency)
        last = rows[-1][1] if rows else None
        if last is not None and _alike(last, told):
            rows[-1][0].append(told["act"])
        else:
            rows.append(([told["act"]], told))
    return rows


def _alike(one: Json, other: Json) -> bool:
    forbidden = not one["may"] and one["brings"] is None and other["brings"] is None
    return forbidden and bool(one["violations"] == other["violations"])


def _unknown(verdict: Verdict) -> tuple[str, ...]:
    exchanged = isinstance(verdict.brings, ReservationExchangeQuoted)
    return _OF_WHAT_IS_BOUGHT if exchanged and verdict.to_give else ()


def brings_told(told: Json, say: Saying = ENGLISH) -> str:
    """`1413.92 CNY (cash 1413.92, gift 0.00), FIVE_DAYS_NO_REASON`, and the fee if there is one."""
    brings = told["brings"]
    if brings is None:
        return ""
    if "amount" not in brings:
        amount = f"{brings['returned_total']} {brings['currency']}"
        return say.said("{amount} towards the purchases", amount=amount)
    amount = f"{brings['amount']} {brings['currency']}"
    parts = [
        say.said("{amount} ({parts})", amount=amount, parts=pairs(brings["parts"], say)),
        say.word(brings["rule"]),
    ]
    if brings["gross"] != brings["amount"]:
        parts.append(say.said("after a fee of {fee}", fee=brings["fee"]))
    if told["after"] is not None:
        parts.append(say.said("once {command} is given", command=say.word(told["after"])))
    return say.listed(parts)


def conditions_told(told: Json, say: Saying = ENGLISH) -> Iterator[str]:
    """What forbids it; or what has to be chosen and given."""
    yield from (violation_told(each, say) for each in told["violations"])
    if told["may"] and (chosen := _chosen(told)):
        yield say.said("with {values}", values=pairs(chosen, say))
    if told["may"] and told["to_give"]:
        names = say.listed(map(say.word, told["to_give"]))
        yield say.said("to be given: {names}", names=names)
        yield from (why_told(each, say) for each in told["must"])


def _chosen(told: Json) -> Json:
    """What was filled in beside the thing itself, where the act is given at once."""
    asked = told["ask"]
    if asked["command"] != told["act"]:
        return {}
    _, *others = asked["body"].items()
    return {name: value for name, value in others if name != "acknowledged"}

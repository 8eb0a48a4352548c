"""Formats an explanation as text, so that a person can redo the calculation by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.explaining.event_sources import Entry, Json
from console.explaining.explanation import Explanation
from console.rendering.reports.reasons import pairs, violation_lines, working_lines

_INDENT = " " * 10


def explanation_told(told: Explanation) -> str:
    """The complete text, part by part; empty parts are left out."""
    parts = (
        _head(told),
        *_part("terms", [pairs(told.terms)] if told.terms else []),
        *_part("rules", _rules(told.rules)),
        *_part("violated", violation_lines(told.violations)),
        *_part("working", working_lines(told.working)),
        *_part("result", [pairs(told.amounts)] if len(told.amounts) > 1 else []),
        *_part("postings", _postings(told.postings, told.amounts.get("currency", ""))),
        *_part("events", map(_event, told.events)),
        *_part("rests on", map(_event, told.rests_on)),
        *_part("then", map(_event, told.then)),
    )
    return "\n".join(parts)


def _head(told: Explanation) -> str:
    asked = told.asked
    command = asked.get("command") or "command"
    actor = asked.get("actor")
    by = f" by {actor['id']} ({actor['role']})" if actor else ""
    if "approved_by" in asked:
        by += f", approved by {asked['approved_by']}"
    lines = [
        f"{command} {asked['command_id']}{by}, account {told.account}: {told.verdict}",
        f"{'asked':<10}decided {asked['decided_at']}",
    ]
    if "stood_at" in asked:
        lines[-1] += ", commands partition {} offset {}".format(*asked["stood_at"])
    if "signed" in asked:
        lines.append(_INDENT + _signature(asked))
    if "body" in asked:
        lines.append(_INDENT + pairs(asked["body"]))
    return "\n".join(lines)


def _signature(asked: Json) -> str:
    by_table = f" by version {asked['origins']} of the origins" if "origins" in asked else ""
    if not asked["signed"]:
        return f"not signed{by_table}"
    return f"signed by {asked['origin']} with key {asked['origin_key']},{by_table}"


def _part(name: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield (f"{name:<10}" if number == 0 else _INDENT) + line


def _rules(rules: Iterable[Json]) -> Iterator[str]:
    for rule in rules:
        yield f"{rule['rule']} ({rule['source']}): {rule['says']}"


def _postings(postings: Iterable[Json], currency: str) -> Iterator[str]:
    for line in postings:
        yield (
            f"{line['transaction']} {line['side'].lower():<6} {line['account']:<24} "
            f"{line['amount']} {currency}".rstrip()
        )


def _event(entry: Entry) -> str:
    place = ""
    if entry.log_sequence is not None:
        at = "" if entry.offset is None else f" offset {entry.offset}"
        place = f"  partition {entry.partition}{at} log_sequence {entry.log_sequence}"
    return f"#{entry.sequence:<3} {entry.event:<24} {entry.at}{place}{_by(entry)}"


def _by(entry: Entry) -> str:
    if entry.signed is None:
        return ""
    return f"  by {entry.origin}/{entry.origin_key}" if entry.signed else "  unsigned"

"""Schemas of the answers about one account, one refund, one event; with examples."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
_TEXT: Document = {"type": "string"}
_INSTANT: Document = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-01-05T08:00:00Z"],
}
_NUMBER: Document = {"type": "integer"}
_OPEN: Document = {"type": "object", "additionalProperties": True}
_VIOLATIONS: Document = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/Violation"},
}
_LIST: Document = {"type": "array", "items": _OPEN}
_TEXTS: Document = {"type": "array", "items": _TEXT}
_HEX: Document = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}


def _object(needed: str, **properties: Document) -> Document:
    return {
        "type": "object",
        "required": needed.split(),
        "properties": properties,
        "additionalProperties": True,
    }


def _or_nothing(schema: Document) -> Document:
    return {**schema, "type": [schema["type"], "null"]}


_FOUND = _object(
    "partition log_sequence account_id sequence event_name event_id recorded_at command_id",
    partition=_NUMBER,
    log_sequence={**_NUMBER, "description": "The number of the event in its partition, from 0."},
    account_id=_TEXT,
    sequence={**_NUMBER, "description": "The number of the event in its account, from 1."},
    event_name={**_TEXT, "examples": ["RefundIssued"]},
    event_id=_TEXT,
    recorded_at=_INSTANT,
    occurred_at=_INSTANT,
    command_id=_TEXT,
    correlation_id={**_TEXT, "description": "The command that began the story."},
    actor_id=_TEXT,
    actor_role=_TEXT,
)
_CHECK = _object(
    "claim said found holds computed",
    claim={**_TEXT, "examples": ["it has the hash of the event before it"]},
    said=_HEX,
    found=_or_nothing(_HEX),
    holds={"type": ["boolean", "null"], "description": "null: there is nothing to compare yet."},
    computed={**_TEXT, "description": "How to compute it by hand."},
)
_COMMAND = _object("command meta body", command=_TEXT, meta=_OPEN, body=_OPEN)

_CLOSING = _object(
    "month run state step share asked_by began_at ended_at reason protocol",
    month={**_TEXT, "examples": ["2026-01"]},
    run={**_NUMBER, "description": "The number of the closing among those of the month."},
    state={"type": "string", "enum": ["RUNNING", "DONE", "FAILED", "INTERRUPTED"]},
    step=_TEXT,
    share={**_NUMBER, "description": "How much is done, in percent."},
    asked_by=_TEXT,
    began_at=_INSTANT,
    ended_at=_or_nothing(_INSTANT),
    reason=_or_nothing(_TEXT),
    protocol={
        **_or_nothing(_OPEN),
        "description": "Checkpoint, trial balance, exports, reconciliation, and the digest of all.",
    },
)
_NUMBERS: Document = {**_OPEN, "description": "Number → its value as a person would write it."}
_RULE = {
    "rule": {**_TEXT, "examples": ["termination_fee"]},
    "says": _TEXT,
    "source": _TEXT,
    "kinds": _TEXTS,
    "codes": {**_TEXTS, "description": "What it refuses with."},
    "commands": {**_TEXTS, "description": "The commands that it looks at."},
    "numbers": _NUMBERS,
}
_TOLD = _object("may brings why", may={"type": "boolean"}, brings=_TEXT, why=_TEXT)
_RULEBOOK: Document = {
    "Closings": _object("closings", closings={"type": "array", "items": _CLOSING}),
    "Rules": _object(
        "terms rules",
        terms={**_TEXT, "description": "The version of the terms."},
        rules={"type": "array", "items": _object(" ".join(_RULE), **_RULE)},
    ),
    "Rule": _object(
        f"{' '.join(_RULE)} terms versions to_try",
        **_RULE,
        terms=_TEXT,
        versions={
            "type": "array",
            "items": _object(
                "version effective_from in_force numbers changed",
                version=_TEXT,
                effective_from=_INSTANT,
                in_force={"type": "boolean"},
                numbers=_NUMBERS,
                changed=_TEXTS,
            ),
        },
        to_try={**_TEXTS, "description": "The numbers that can be tried."},
    ),
    "WhatIf": _object(
        "at compared changed",
        at=_INSTANT,
        compared={**_NUMBER, "description": "The acts that were judged both ways."},
        changed={
            "type": "array",
            "items": _object(
                "kind id act now then", kind=_TEXT, id=_TEXT, act=_TEXT, now=_TOLD, then=_TOLD
            ),
        },
    ),
}

ANSWERS: Document = {
    **_RULEBOOK,
    "Eligibility": _object(
        "account at terms as_of things",
        account=_TEXT,
        at=_INSTANT,
        terms={**_TEXT, "description": "The version of the terms."},
        as_of=_OPEN,
        things={
            "type": "array",
            "items": _object(
                "kind id state acts",
                kind=_TEXT,
                id=_TEXT,
                state=_TEXT,
                acts={
                    "type": "array",
                    "items": _object(
                        "act may violations",
                        act={**_TEXT, "examples": ["ReturnInstance"]},
                        may={"type": "boolean"},
                        brings=_or_nothing(_OPEN),
                        violations=_VIOLATIONS,
                        working=_LIST,
                    ),
                },
            ),
        },
    ),
    "Explanation": _object(
        "verdict id account asked terms rules working violations postings events",
        verdict={"type": "string", "enum": ["accepted", "refused"]},
        id=_TEXT,
        account=_TEXT,
        asked={**_OPEN, "description": "The command, and who gave it."},
        terms={**_OPEN, "description": "The numbers in force that the rules use."},
        rules=_LIST,
        working={**_LIST, "description": "Each step with inputs, result and rounding."},
        amounts=_OPEN,
        violations=_VIOLATIONS,
        postings=_LIST,
        events=_LIST,
        rests_on={**_LIST, "description": "Earlier events about the same things."},
        then={**_LIST, "description": "Later events of the refunds that were issued."},
    ),
    "Quote": _object(
        "account event command_id quoted_at quote_id amount currency expires_at",
        account=_TEXT,
        event={**_TEXT, "examples": ["InstanceReturnQuoted"]},
        command_id=_TEXT,
        quoted_at=_INSTANT,
        terms=_TEXT,
        quote_id=_TEXT,
        amount={**_TEXT, "examples": ["1413.92"]},
        currency=_TEXT,
        expires_at=_INSTANT,
        working=_LIST,
        violations=_VIOLATIONS,
    ),
    "Refund": _object(
        "account_id refund_id state currency amount steps",
        account_id=_TEXT,
        refund_id=_TEXT,
        state={
            "type": "string",
            "enum": ["ISSUED", "SETTLING", "SETTLED", "HELD", "CORRECTED"],
        },
        currency=_TEXT,
        amount={**_TEXT, "examples": ["1413.92"]},
        steps={
            "type": "array",
            "items": _object(
                "step event_name recorded_at",
                step=_NUMBER,
                event_name={**_TEXT, "examples": ["RefundIssued"]},
                recorded_at=_INSTANT,
            ),
        },
    ),
    "FoundEvents": _object(
        "rows next", rows={"type": "array", "items": _FOUND}, next=_or_nothing(_TEXT)
    ),
    "RecordedEvent": _object(
        "partition offset appended_at event schema value hash checks command shown_until",
        partition=_NUMBER,
        offset=_NUMBER,
        appended_at=_INSTANT,
        event=_OPEN,
        schema=_object("name version frame", name=_TEXT, version=_NUMBER, frame=_HEX),
        value={**_HEX, "description": "The bytes of the record's value."},
        hash={**_HEX, "description": "The SHA-256 of the value without its frame."},
        checks={"type": "array", "items": _CHECK},
        command={"anyOf": [_COMMAND, {"type": "null"}]},
        shown_until={"type": ["integer", "null"], "description": "The read models end there."},
    ),
}

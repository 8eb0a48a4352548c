"""`/events`: the search; `/events/PARTITION/OFFSET`: one event, its bytes and its proof."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from console.explaining.recorded_event import Json, checks, event_told
from console.rendering.reports.reasons import in_words
from console.rendering.sentences.saying import Saying
from console.web.access.texts import opener_for
from console.web.api.events import (
    Offset,
    Partition,
    Read,
    found_to_json,
    offset_of,
    opened,
    read_event,
    searched,
)
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.accounts.opening import opened as with_texts
from console.web.pages.events.fields import fields_of
from console.web.pages.events.hex_dump import hex_rows
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.sayings import saying_of
from console.web.problems import Problem
from ledger.log.seam import LogUnavailable
from ledger.values.instants import format_instant
from ledger.vocabulary.events import EVENTS
from ledger.wire.avro.codec import schema_of
from ledger.wire.avro.schema_files import Family
from projector.asking.event_search import Sought, numbered
from projector.asking.histories import history

router = APIRouter(tags=["pages"], include_in_schema=False)
ROWS = 100
KINDS = sorted(name for name in EVENTS if name != "LedgerOpened")


@router.get("/events", dependencies=[Depends(stand)])
def event_list(
    request: Request,
    backend: Asked,
    account: Annotated[str, Query()] = "",
    event: Annotated[str, Query()] = "",
    command: Annotated[str, Query()] = "",
    correlation: Annotated[str, Query()] = "",
    refund: Annotated[str, Query()] = "",
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """Events by what they name, the newest first."""
    asked = {
        "account": account,
        "event": event,
        "command": command,
        "correlation": correlation,
        "refund": refund,
    }
    given = {name: text.strip() for name, text in asked.items() if text.strip()}
    found, following = searched(backend, Sought(**given), ROWS, cursor or None)
    return page(
        request,
        "events/search.html",
        asked=asked,
        kinds=KINDS,
        found=[found_to_json(each) for each in found],
        following=following,
        export="/v1/events/search?" + urlencode(given),
    )


@router.get("/events/{partition}/numbers/{log_sequence}", dependencies=[Depends(stand)])
def numbered_event(
    request: Request, backend: Asked, partition: Partition, log_sequence: Offset
) -> HTMLResponse:
    """One event by its number in the partition; without brokers what the read models have of it."""
    try:
        offset = offset_of(backend, partition, log_sequence)
        return _whole(request, backend, read_event(backend, partition, offset))
    except LogUnavailable as error:
        return _as_shown(request, backend, partition, log_sequence, str(error))


@router.get("/events/{partition}/{offset}", dependencies=[Depends(stand)])
def one_event(
    request: Request, backend: Asked, partition: Partition, offset: Offset
) -> HTMLResponse:
    """One event by the position of its record."""
    return _whole(request, backend, read_event(backend, partition, offset))


def _whole(request: Request, backend: Backend, read: Read) -> HTMLResponse:
    found = read.found
    record = found.record
    say = saying_of(request)
    with backend.connection() as connection:
        opener = opener_for(request, backend, connection)
        event, command = opened(read, opener)
        (shown,) = with_texts((found.event,), opener)
    name, version = schema_of(Family.EVENTS, record.value)
    return page(
        request,
        "events/event.html",
        event=event,
        meta=fields_of(event["meta"]),
        body=_body(event, say),
        facts=shown.body,
        record=record,
        appended_at=format_instant(record.appended_at),
        schema={"name": name, "version": version, "frame": found.frame.hex(" ")},
        rows=list(hex_rows(found.value)),
        size=len(found.value),
        frame_bytes=len(found.frame),
        proof=checks(found, read.reached, read.command, say),
        reached=read.reached,
        command=command,
        command_fields=[] if command is None else fields_of(command["body"]),
        why=read.why,
        before=None if found.before is None else found.before.offset,
        after=None if found.after is None else found.after.offset,
        refund_id=event["body"].get("refund_id", ""),
    )


def _as_shown(
    request: Request, backend: Backend, partition: int, log_sequence: int, why: str
) -> HTMLResponse:
    with backend.connection() as connection:
        found = numbered(connection, partition, log_sequence)
        if found is None:
            raise Problem(
                404, "Not found", f"partition {partition} has no event of number {log_sequence}"
            )
        events = history(connection, found.account_id, since=found.sequence).events
        opener = opener_for(request, backend, connection)
        told: list[Json] = [
            opener.shown(found.account_id, found.command_id, event_told(each))
            for each in events
            if each.meta.log_sequence == log_sequence
        ]
    if not told:
        raise Problem(503, "Not known yet", "the events of its command are not all shown yet")
    return page(
        request,
        "events/shown.html",
        503,
        found=found_to_json(found),
        event=told[0],
        body=_body(told[0], saying_of(request)),
        why=why,
    )


def _body(event: Json, say: Saying) -> list[tuple[str, str]]:
    """What happened field by field; the reasons of a refusal as they are said on the page."""
    body = event["body"]
    told = {"violations": in_words(body["violations"], say)} if "violations" in body else {}
    return fields_of(body | told)

"""`GET /v1/events/...`: events found by what they name, and one with its record and its proof."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from msgspec import Struct, to_builtins

from console.explaining.recorded_event import (
    EventRecord,
    Json,
    checks,
    command_in,
    command_told,
    event_among,
    event_told,
    record_to_json,
)
from console.sealing.showing import Opener
from console.web.access.texts import opener_for
from console.web.api.cursors import cursor_of, place_of
from console.web.api.openapi import json_answer
from console.web.api.queries import MAX_ROWS, ROWS_OF_A_PAGE, Asked
from console.web.backend import Backend
from console.web.problems import Problem
from ledger.log.seam import LogUnavailable, Topic
from ledger.values.instants import format_instant
from ledger.vocabulary.envelope import GivenCommand
from ledger.wire.avro.schema_files import Family, schema_file, schema_root
from projector.asking.event_search import EventPlace, FoundEvent, Reached, Sought, reached, search

router = APIRouter(prefix="/v1", tags=["events"])
_NEAR, _NAME = 8, "event-search"

Partition = Annotated[int, Path(ge=0, le=2**31 - 1, description="The partition.")]
Offset = Annotated[int, Path(ge=0, le=2**63 - 1, description="The offset of the record.")]


class Read(Struct, frozen=True, kw_only=True):
    """An event with all that its place is compared with; `why` says why no command was read."""

    found: EventRecord
    reached: Reached | None
    command: GivenCommand | None
    why: str


@router.get("/events/search", responses={200: json_answer("FoundEvents", "The newest first.")})
def events_search(
    backend: Asked,
    account: Annotated[str | None, Query(description="Of this account.")] = None,
    event: Annotated[str | None, Query(description="Of this name, as RefundIssued.")] = None,
    command: Annotated[str | None, Query(description="Of this command's id.")] = None,
    correlation: Annotated[
        str | None, Query(description="Of the story that this command's id began.")
    ] = None,
    refund: Annotated[str | None, Query(description="About this refund's id.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS, description="Rows.")] = ROWS_OF_A_PAGE,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> JSONResponse:
    """Find events by what they name, the newest first; without anything, the newest of all."""
    sought = Sought(
        account=account, event=event, command=command, correlation=correlation, refund=refund
    )
    found, following = searched(backend, sought, limit, cursor)
    return JSONResponse({"rows": [found_to_json(each) for each in found], "next": following})


def searched(
    backend: Backend, sought: Sought, limit: int, cursor: str | None
) -> tuple[list[FoundEvent], str | None]:
    """A page of a search, and the cursor of the next one if there is one."""
    after = _place(cursor)
    if after is not None and not sought.given:
        raise Problem(400, "The request cannot be read", "cursor: name what is sought, as before")
    with backend.connection() as connection:
        found = search(connection, sought, limit + 1, after)
    more = len(found) > limit and bool(sought.given)
    return found[:limit], _cursor(found[limit - 1].place) if more else None


def found_to_json(found: FoundEvent) -> dict[str, Any]:
    """An event of a search as one JSON object."""
    return {
        **to_builtins(found),
        "recorded_at": format_instant(found.recorded_at),
        "occurred_at": format_instant(found.occurred_at),
    }


@router.get(
    "/events/{partition}/{offset}",
    responses={200: json_answer("RecordedEvent", "The event, its record and its proof.")},
)
def event_record(
    partition: Partition, offset: Offset, request: Request, backend: Asked
) -> JSONResponse:
    """One event by the position of its record: decoded, its bytes, its schema, its command, and the
    hashes that prove its place.
    """
    return JSONResponse(told(request, backend, read_event(backend, partition, offset)))


@router.get(
    "/events/{partition}/{offset}/value",
    response_class=Response,
    responses={
        200: {
            "description": "The bytes of the record's value.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
def event_value(partition: Partition, offset: Offset, backend: Asked) -> Response:
    """The bytes of an event's record, to compute its hash by hand."""
    found = record_at(backend, partition, offset)
    return Response(found.value, media_type="application/octet-stream")


@router.get(
    "/events/{partition}/numbers/{log_sequence}",
    responses={200: json_answer("RecordedEvent", "The event, its record and its proof.")},
)
def numbered_event(
    partition: Partition, log_sequence: Offset, request: Request, backend: Asked
) -> JSONResponse:
    """The same by the number of the event in its partition, as the lists show it."""
    offset = offset_of(backend, partition, log_sequence)
    return JSONResponse(told(request, backend, read_event(backend, partition, offset)))


@router.get(
    "/schemas/{family}/{name}/{version}",
    responses={200: {"description": "An Avro schema."}},
    response_class=JSONResponse,
)
def schema(family: Family, name: str, version: Annotated[int, Path(ge=1, le=10_000)]) -> Response:
    """The schema of an event or a command, by which its bytes are read."""
    root = schema_root()
    known = {each.name for each in (root / family).iterdir()}
    path = schema_file(root, family, name, version)
    if name not in known or not path.is_file():
        raise Problem(404, "Not found", f"there is no version {version} of {family} {name!r}")
    return Response(path.read_text(encoding="utf-8"), media_type="application/json")


def read_event(backend: Backend, partition: int, offset: int) -> Read:
    """The event at a position, and all that is compared with it."""
    found = record_at(backend, partition, offset)
    with backend.connection() as connection:
        shown = reached(connection, partition)
    command, why = _command(backend, found)
    return Read(found=found, reached=shown, command=command, why=why)


def record_at(backend: Backend, partition: int, offset: int) -> EventRecord:
    """The event at a position, with its neighbours. Problem 404 if there is none."""
    records = backend.records.at(Topic.EVENTS, partition, max(0, offset - 2), _NEAR)
    found = event_among(records, offset)
    if found is None:
        raise Problem(
            404,
            "Not found",
            f"partition {partition} has no event at offset {offset}: it is behind the last one, or "
            "the end of a transaction; find the event by a search",
        )
    number = found.event.meta.log_sequence
    if found.before is not None or number == 0:
        return found
    near = backend.records.numbered(partition, number - 1)
    return event_among(near, offset) or found


def offset_of(backend: Backend, partition: int, log_sequence: int) -> int:
    """The offset of the event of a number. Problem 404 if there is none."""
    for record in backend.records.numbered(partition, log_sequence)[:1]:
        return record.offset
    raise Problem(404, "Not found", f"partition {partition} has no event of number {log_sequence}")


def told(request: Request, backend: Backend, read: Read) -> dict[str, Any]:
    """The event as one JSON object."""
    with backend.connection() as connection:
        event, command = opened(read, opener_for(request, backend, connection))
    proof = checks(read.found, read.reached, read.command)
    return record_to_json(read.found, proof, event, command, read.reached)


def opened(read: Read, opener: Opener) -> tuple[Json, Json | None]:
    """The event and its command, with their texts as far as who asks may read them."""
    meta = read.found.event.meta
    event = opener.shown(meta.account_id, meta.causation_id, event_told(read.found.event))
    command = None
    if read.command is not None:
        asked = command_told(read.command)
        command = opener.shown(meta.account_id, read.command.meta.command_id, asked)
    return event, command


def _command(backend: Backend, found: EventRecord) -> tuple[GivenCommand | None, str]:
    meta = found.event.meta
    if not meta.causation_id or meta.source_offset < 0:
        return None, "it has no command"
    try:
        records = backend.records.at(
            Topic.COMMANDS, meta.source_partition, meta.source_offset, _NEAR
        )
    except LogUnavailable as error:
        return None, str(error)
    for record in records[:1]:
        if record.offset == meta.source_offset:
            given = command_in(record)
            return given, "" if given else "its record cannot be read by this version"
    return None, "its record is not in the log any more"


def _cursor(place: EventPlace) -> str:
    return cursor_of(_NAME, tuple(str(getattr(place, each)) for each in place.__struct_fields__))


def _place(cursor: str | None) -> EventPlace | None:
    texts = place_of(_NAME, cursor)
    if texts is None:
        return None
    try:
        recorded_at, partition, log_sequence = map(int, texts)
    except ValueError as error:
        raise Problem(
            400, "The request cannot be read", "cursor: take the one of the page before"
        ) from error
    return EventPlace(recorded_at=recorded_at, partition=partition, log_sequence=log_sequence)

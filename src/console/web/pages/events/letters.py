"""`/events/dead-letters`: records that could not be taken, with the reason and their bytes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from console.rendering.reports.dead_letters_json import plain
from console.web.api.events import Offset, Partition
from console.web.api.queries import Asked
from console.web.pages.events.hex_dump import hex_rows
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.problems import Problem
from ledger.log.seam import LogRecord, Topic
from ledger.values.instants import format_instant
from ledger.wire.dead_letters.closing import read_resolution
from ledger.wire.dead_letters.headers import Place
from ledger.wire.dead_letters.letter import Letter, read_letter

router = APIRouter(tags=["pages"], include_in_schema=False)
LAST_OFFSETS = 200
"""Of each partition; `refundctl dlq list` reads all."""


@router.get("/events/dead-letters", dependencies=[Depends(stand)])
def letter_list(request: Request, backend: Asked) -> HTMLResponse:
    """The newest dead letters, and what became of them."""
    records = backend.records.last(Topic.DEAD_LETTERS, LAST_OFFSETS)
    closed = {each.source: each for each in map(read_resolution, records) if each is not None}
    letters = [each for each in map(read_letter, records) if each is not None]
    told = [_told(each, _became(each, closed)) for each in letters]
    return page(request, "events/letters.html", letters=told)


@router.get("/events/dead-letters/{partition}/{offset}", dependencies=[Depends(stand)])
def one_letter(
    request: Request, backend: Asked, partition: Partition, offset: Offset
) -> HTMLResponse:
    """One dead letter by the position of its own record."""
    found = backend.records.at(Topic.DEAD_LETTERS, partition, offset, 1)
    letter = next((read_letter(each) for each in found if each.offset == offset), None)
    if letter is None:
        raise Problem(
            404, "Not found", f"there is no dead letter at {partition}:{offset} of its topic"
        )
    value = letter.record.value or b""
    headers = [
        (plain(name), plain(content.decode(errors="backslashreplace")[:500]))
        for name, content in letter.original_headers
    ]
    return page(
        request,
        "events/letter.html",
        letter=_told(letter, ""),
        headers=headers,
        rows=list(hex_rows(value)),
        size=len(value),
    )


def _told(letter: Letter, became: str) -> dict[str, Any]:
    record: LogRecord = letter.record
    headers = dict(letter.original_headers)
    return {
        "partition": record.partition,
        "offset": record.offset,
        "source": str(letter.source),
        "set_aside_at": format_instant(record.appended_at),
        "reason": letter.reason,
        "detail": plain(letter.detail),
        "key": "" if record.key is None else plain(record.key.decode(errors="backslashreplace")),
        "command_id": plain(headers.get("ce_id", b"").decode(errors="replace")[:100]),
        "became": became,
    }


def _became(letter: Letter, closed: dict[Place, Any]) -> str:
    found = closed.get(letter.source)
    return "OPEN" if found is None else str(found.kind.value)

"""Dead letters as JSON, and the text that both formats share."""

from __future__ import annotations

import base64
from typing import Any

from consumers.dead_letters.status import LetterStatus
from ledger.values.ids import partition_of
from ledger.values.instants import format_instant
from ledger.wire.avro.codec import UnreadableRecord, decode_command
from ledger.wire.dead_letters.closing import Resolution
from ledger.wire.dead_letters.letter import Letter


def standing_to_json(standing: LetterStatus) -> dict[str, Any]:
    """A letter without its bytes, as one JSON object."""
    return {
        "letter": str(standing.source),
        "partition": standing.source.partition,
        "offset": standing.source.offset,
        "letter_offset": standing.letter_offset,
        "set_aside_at": format_instant(standing.set_aside_at),
        "reason": standing.reason,
        "detail": standing.detail,
        "key": None if standing.key is None else standing.key.decode(errors="backslashreplace"),
        "command_id": standing.command_id or None,
        "bytes": standing.size,
        "resolution": None
        if standing.resolution is None or standing.resolved_at is None
        else {
            "at": format_instant(standing.resolved_at),
            **resolution_to_json(standing.resolution),
        },
    }


def letter_to_json(standing: LetterStatus, letter: Letter, partition_count: int) -> dict[str, Any]:
    """A letter with its bytes (base64) and headers."""
    value = letter.record.value
    return {
        **standing_to_json(standing),
        "today": today(letter, partition_count),
        "headers": [
            [name, content.decode(errors="backslashreplace")]
            for name, content in letter.original_headers
        ],
        "value": None if value is None else base64.b64encode(value).decode(),
    }


def resolution_to_json(resolution: Resolution, *, now: bool | None = None) -> dict[str, Any]:
    """How a letter was closed; `now` says whether this command did it."""
    copy = resolution.copy
    told: dict[str, Any] = {
        "letter": str(resolution.source),
        "resolution": resolution.kind.value,
        "actor": resolution.actor,
        "reason": resolution.reason,
        "copy": None if copy is None else str(copy),
    }
    return told if now is None else {**told, "now": now}


def today(letter: Letter, partition_count: int) -> str:
    """Whether this version could read the record if it were redriven."""
    record = letter.record
    try:
        given = decode_command(record.key, record.value)
    except UnreadableRecord as error:
        return plain(f"cannot be read: {error}")
    home = partition_of(given.meta.account_id.encode(), partition_count)
    meta = given.meta
    return plain(f"{given.name} {meta.command_id} of {meta.account_id}, partition {home}")


def plain(text: str) -> str:
    """Without terminal control characters: the text came from outside."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)

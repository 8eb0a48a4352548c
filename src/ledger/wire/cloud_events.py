"""The headers of a record: CloudEvents 1.0 in binary mode."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from ledger.log.seam import Headers, LogRecord
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.wire.avro.schema_files import Family

CONTENT_TYPE = b"application/avro"
TRACE = "traceparent"
"""The header of W3C Trace Context; what a command has, its events have too."""

_MOST_LETTERS = 100
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", CONTENT_TYPE)


def headers_for_command(command: GivenCommand, traceparent: bytes | None = None) -> Headers:
    """CloudEvents 1.0 binary-mode headers: the required attributes, and the trace if there is one.

    `ce_source` names the account, since a command's id is unique in its account only.
    """
    meta = command.meta
    return _headers(Family.COMMANDS, command.name, meta.command_id, meta.account_id, traceparent)


def headers_for_event(event: RecordedEvent, traceparent: bytes | None = None) -> Headers:
    """CloudEvents 1.0 binary-mode headers, `ce_type` such as `refunds.events.RefundIssued`."""
    meta = event.meta
    return _headers(Family.EVENTS, event.name, meta.event_id, meta.account_id, traceparent)


def ids_of(headers: Headers) -> dict[str, str]:
    """For log lines and traces: the record's `id`, `type` and `trace_id`, where it has them.

    Headers of commands are what a stranger wrote, so they are cut.
    """
    told = {name: text.decode(errors="replace")[:_MOST_LETTERS] for name, text in headers}
    trace = told.get(TRACE, "").split("-")
    found = {
        "id": told.get("ce_id", ""),
        "type": told.get("ce_type", "").rpartition(".")[2],
        "trace_id": trace[1] if len(trace) == 4 else "",
    }
    return {name: text for name, text in found.items() if text}


def told_of(record: LogRecord) -> dict[str, Any]:
    """What a log line tells of a record: its place and its ids."""
    return {"partition": record.partition, "offset": record.offset, **ids_of(record.headers)}


def _headers(
    family: Family, name: str, record_id: str, account_id: str, traceparent: bytes | None
) -> Headers:
    headers = (
        _SPECVERSION,
        ("ce_id", record_id.encode()),
        _source(account_id),
        _type(family, name),
        _CONTENT_TYPE,
    )
    return headers if traceparent is None else (*headers, (TRACE, traceparent))


@lru_cache(maxsize=10_000)
def _source(account_id: str) -> tuple[str, bytes]:
    scope = f"accounts/{quote(account_id, safe='')}" if account_id else "ledger"
    return "ce_source", f"/refunds/{scope}".encode()


@cache
def _type(family: Family, name: str) -> tuple[str, bytes]:
    return "ce_type", f"refunds.{family}.{name}".encode()

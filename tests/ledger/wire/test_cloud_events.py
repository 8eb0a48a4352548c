"""Each record says what it is in headers that any CloudEvents reader understands."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.vocabulary.commands import ReturnInstance
from ledger.vocabulary.events import LedgerOpened, RefundIssued
from ledger.wire.cloud_events import headers_for_command, headers_for_event
from tests.samples import sample_command, sample_event


def test_command_headers_are_cloud_events() -> None:
    command = sample_command(ReturnInstance)
    meta = replace(command.meta, account_id="账户/1", command_id="c-1")
    assert headers_for_command(replace(command, meta=meta)) == (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"c-1"),
        ("ce_source", b"/refunds/accounts/%E8%B4%A6%E6%88%B7%2F1"),
        ("ce_type", b"refunds.commands.ReturnInstance"),
        ("content-type", b"application/avro"),
    )


def test_event_headers_carry_the_trace_where_there_is_one() -> None:
    event = sample_event(RefundIssued)
    headers = headers_for_event(event, traceparent=b"00-1-2-01")
    assert ("ce_type", b"refunds.events.RefundIssued") in headers
    assert ("ce_id", event.meta.event_id.encode()) in headers
    assert headers[-1] == ("traceparent", b"00-1-2-01")


def test_an_event_without_an_account_is_the_ledgers_own() -> None:
    event = sample_event(LedgerOpened)
    meta = replace(event.meta, account_id="")
    headers = headers_for_event(replace(event, meta=meta))
    assert ("ce_source", b"/refunds/ledger") in headers

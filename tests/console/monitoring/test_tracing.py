"""A trace that a publisher begins goes through every consumer, and its ids into the log."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import structlog
from msgspec.structs import replace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from console.monitoring.handled import in_the_log
from console.monitoring.monitor import Monitor
from console.monitoring.tracing import exporting, spans_of
from console.monitoring.vitals import Vitals
from console.terminal.errors import Failed
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.store import Store
from ledger.log.seam import Batch, LogRecord, Topic
from tests.consumers.ledgers import START, Bench, opening, record, standing

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = ("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-01".encode())


class Events:
    """The events of a decider in memory, as a projector reads them: once."""

    topic_id = "t-1"

    def __init__(self, records: Sequence[LogRecord]) -> None:
        self._records = tuple(records)

    def ends(self) -> tuple[int, ...]:
        return (len(self._records),)

    def read(
        self, positions: Mapping[int, int], max_records: int, timeout_seconds: float
    ) -> Mapping[int, Batch]:
        if positions[0]:
            return {}
        return {0: Batch(records=self._records, next_position=len(self._records))}

    def close(self) -> None:
        """Nothing."""


def story(monitor: Monitor) -> Bench:
    """Two commands, one of them in a trace: decided, and their events shown."""
    bench = Bench()
    log = monitor.log(bench.cluster.consumer(GROUP, Topic.COMMANDS), "decider")
    decider = PartitionDecider(log, 0, Store(None, 0, bench.world.events_topic_id), bench.world)
    log.owned(0.0)
    decider.restore()
    opened = record(opening())
    traced = replace(opened, headers=(*opened.headers, TRACEPARENT))
    bench.publish(traced, record(standing(1)))
    decider.step(0.0)
    tail = monitor.source(Events(bench.records(Topic.EVENTS)), "projector")
    tail.read({0: 0}, 10, 0.0)
    tail.read({0: 1}, 10, 0.0)
    return bench


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, ...]:
    """The spans of the story."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    told = spans_of(provider.get_tracer("test"), lambda: (START + 5_000_000) * 1_000)
    story(Monitor(Vitals(), CollectorRegistry(), handled=[told]))
    return exporter.get_finished_spans()


def test_a_trace_goes_from_the_command_to_the_rows(spans: tuple[ReadableSpan, ...]) -> None:
    assert [span.name for span in spans] == ["decider OpenAccount", "projector AccountOpened"]
    for span in spans:
        assert span.parent is not None
        assert format(span.parent.trace_id, "032x") == TRACE_ID
        assert format(span.parent.span_id, "016x") == SPAN_ID


def test_a_span_is_from_the_append_to_the_end_of_the_handling(
    spans: tuple[ReadableSpan, ...],
) -> None:
    assert {(span.start_time, span.end_time) for span in spans} == {
        (START * 1_000, (START + 5_000_000) * 1_000)
    }


def test_a_span_names_the_record_and_what_was_made_of_it(spans: tuple[ReadableSpan, ...]) -> None:
    decided, _ = (span.attributes or {} for span in spans)
    assert decided["refunds.record_id"] == "open"
    assert decided["refunds.written"] == ("AccountOpened",)
    assert decided["messaging.kafka.offset"] == 0


def test_lines_of_the_log_carry_the_ids_of_commands_events_and_traces() -> None:
    with structlog.testing.capture_logs() as lines:
        bench = story(Monitor(Vitals(), CollectorRegistry(), handled=[in_the_log]))
    (event,) = (each for each in bench.events() if each.name == "AccountOpened")
    told = [
        (line["event"], line["consumer"], line["id"])
        for line in lines
        if line.get("trace_id") == TRACE_ID
    ]
    assert told == [
        ("handled", "decider", "open"),
        ("written", "decider", event.meta.event_id),
        ("handled", "projector", event.meta.event_id),
    ]


def test_a_dead_letter_is_told_with_its_ids() -> None:
    bench = Bench()
    broken = replace(record(opening()), value=b"garbage")
    bench.publish(replace(broken, headers=(*broken.headers, TRACEPARENT)))
    with structlog.testing.capture_logs() as lines:
        bench.decider().step(0.0)
    (line,) = (each for each in lines if each["event"] == "dead letter")
    assert (line["id"], line["type"], line["trace_id"]) == ("open", "OpenAccount", TRACE_ID)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """A collector on the loopback that keeps what it is sent."""
    kept: list[bytes] = []

    class Kept(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(self.path.encode() + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Kept) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield kept
        server.shutdown()
        thread.join()


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(Failed, match=r"pip install 'refund-ledger\[tracing\]'"):
        exporting("decider").__enter__()


def test_spans_reach_the_collector_before_the_process_ends(collector: list[bytes]) -> None:
    with exporting("decider") as told:
        story(Monitor(Vitals(), CollectorRegistry(), handled=[told]))
    (sent,) = collector
    assert sent.startswith(b"/v1/traces")
    assert bytes.fromhex(TRACE_ID) in sent
    assert b"refund-ledger-decider" in sent

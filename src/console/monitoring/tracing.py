"""Spans of OpenTelemetry: for each record of a trace, from its append to the end of its handling.

The publisher begins a trace by the header `traceparent`. The decider copies it to the events, so
the spans of all consumers, from the command to the rows, have the publisher's span as parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from console.terminal.errors import Failed
from console.terminal.output import version
from ledger.log.seam import LogRecord, Outgoing
from ledger.wire.cloud_events import TRACE, ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Tracer

    from console.monitoring.handled import Handled

_NANOS = 1_000
"""In a micro."""


@contextmanager
def exporting(process: str) -> Iterator[Handled]:
    """Spans go to the collector of OTEL_EXPORTER_OTLP_ENDPOINT, in the background."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Failed(
            "REFUNDS_TRACING needs OpenTelemetry, which is not installed: "
            "pip install 'refund-ledger[tracing]'"
        ) from error
    name = {"service.name": f"refund-ledger-{process}", "service.version": version()}
    provider = TracerProvider(resource=Resource.create(name))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield spans_of(provider.get_tracer("refund-ledger"))
    finally:
        provider.shutdown()


def spans_of(tracer: Tracer, nanos: Callable[[], int] = time.time_ns) -> Handled:
    """A span for each record that has a trace; the others cost a look at their headers."""
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()

    def told(consumer: str, read: Sequence[LogRecord], written: Sequence[Outgoing]) -> None:
        made = _made_by_trace(written)
        for record in read:
            trace = dict(record.headers).get(TRACE)
            if trace is None:
                continue
            parent = propagator.extract({TRACE: trace.decode(errors="replace")})
            ids = ids_of(record.headers)
            span = tracer.start_span(
                f"{consumer} {ids.get('type', '')}".rstrip(),
                context=parent,
                kind=SpanKind.CONSUMER,
                start_time=record.appended_at * _NANOS,
                attributes={
                    "messaging.system": "kafka",
                    "messaging.consumer.group.name": consumer,
                    "messaging.destination.partition.id": str(record.partition),
                    "messaging.kafka.offset": record.offset,
                    "refunds.record_id": ids.get("id", ""),
                    "refunds.written": made.get(trace, ()),
                },
            )
            span.end(nanos())

    return told


def _made_by_trace(written: Sequence[Outgoing]) -> dict[bytes, tuple[str, ...]]:
    """The types of what was written, by trace."""
    found: dict[bytes, tuple[str, ...]] = {}
    for each in written:
        trace = dict(each.headers).get(TRACE)
        if trace is not None:
            found[trace] = (*found.get(trace, ()), ids_of(each.headers).get("type", ""))
    return found

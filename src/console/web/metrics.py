"""Counts the requests, and shows the figures of this process to Prometheus."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.middleware.base import RequestResponseEndpoint

router = APIRouter(tags=["health"])
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_NOWHERE = "none"
"""The route of a path, and the method, that there is not: labels must not grow with what strangers
ask."""


class Requests:
    """The instruments of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answered = Counter(
            "refunds_http_requests",
            "Requests that were answered, by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "refunds_http_request_seconds",
            "Time until an answer began, by route",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    async def counted(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """The answer; a fault that nothing else turned into an answer counts as 500."""
        began, status = time.perf_counter(), 500
        try:
            answer = await call_next(request)
            status = answer.status_code
            return answer
        finally:
            method, route = request.method, getattr(request.scope.get("route"), "path", _NOWHERE)
            if route == _NOWHERE or method not in _METHODS:
                method = _NOWHERE
            self._answered.labels(method, route, str(status)).inc()
            self._seconds.labels(method, route).observe(time.perf_counter() - began)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """This process's figures, in Prometheus's form."""
    counted: Requests = request.app.state.requests
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_LATEST)

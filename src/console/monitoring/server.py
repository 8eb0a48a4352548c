"""Serves /metrics, /livez and /readyz of a process over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from console.monitoring.vitals import Vitals
from console.terminal.errors import Failed

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

_SILENT_SECONDS = 10.0
_TEXT = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]


def serve(host: str, port: int, vitals: Vitals, registry: CollectorRegistry) -> int:
    """Serve until the process ends; returns the port, a free one if it was 0. Raises Failed."""
    try:
        server = make_server(
            host,
            port,
            application(vitals, registry),
            server_class=_Server,
            handler_class=_Quiet,
        )
    except OSError as error:
        raise Failed(
            f"metrics cannot be served on {host}:{port}: {error.strerror}; set "
            "REFUNDS_METRICS_PORT to a free port, to 0 for any, or to off"
        ) from error
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server.server_port


def application(vitals: Vitals, registry: CollectorRegistry) -> WSGIApplication:
    """The three pages; 503 with the reason where a process does not live or is not ready."""
    metrics = make_wsgi_app(registry)
    probes: dict[str, Callable[[], str | None]] = {
        "/livez": vitals.why_not_live,
        "/readyz": vitals.why_not_ready,
    }

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            pages: Iterable[bytes] = metrics(environ, start_response)
            return pages
        if path not in probes:
            start_response("404 Not Found", [*_TEXT])
            return [b"/metrics, /livez and /readyz are here\n"]
        why_not = probes[path]()
        start_response("200 OK" if why_not is None else "503 Service Unavailable", [*_TEXT])
        return [f"{why_not or 'ok'}\n".encode()]

    return answer


class _Server(ThreadingWSGIServer):
    """A request that hangs keeps its own thread only, and none at the end of the process."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Logs no requests, and gives up on a client that sends nothing."""

    timeout = _SILENT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing."""

"""Receivers of webhooks: small real HTTP servers, and sockets that behave badly."""

from __future__ import annotations

import json
import socket
import ssl
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

from msgspec import Struct

from tests.waiting import PATIENCE_SECONDS


class Got(Struct, frozen=True, kw_only=True):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        """The event in it."""
        found: dict[str, Any] = json.loads(self.body)["data"]
        return found

    @property
    def account(self) -> str:
        return str(self.told["account"])


Answer = tuple[int, dict[str, str]]
OK: Answer = (200, {})


class Receiver:
    """Keeps what it gets, and answers as it is told to."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], Answer] = lambda _: OK
        self._came = Condition()
        self.server = _Server(("127.0.0.1", port), self._handler())
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/refunds"

    def wait_for(self, count: int) -> None:
        """Until it has got so many requests."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.got) >= count, PATIENCE_SECONDS)
        assert came, f"{len(self.got)} of {count} came"

    def taken(self) -> tuple[Got, ...]:
        """What it got since this was asked last."""
        with self._came:
            found = tuple(self.got)
            self.got.clear()
        return found

    def of(self, account: str) -> list[int]:
        """The sequence of every event of an account, as they came."""
        return [int(each.told["sequence"]) for each in self.got if each.account == account]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                got = got_by(self)
                if got is None:
                    return
                with receiver._came:
                    receiver.got.append(got)
                    receiver._came.notify_all()
                status, headers = receiver.answer(got)
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                raise AssertionError("a redirect was followed")

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        return Handler


def got_by(handler: BaseHTTPRequestHandler) -> Got | None:
    """The request; None if the sender was killed before its end."""
    length = int(handler.headers["content-length"])
    body = handler.rfile.read(length)
    if len(body) < length:
        return None
    told = {name.lower(): value for name, value in handler.headers.items()}
    return Got(path=handler.path, headers=told, body=body)


def secret_of(text: str) -> bytes:
    """The bytes of a secret as its receiver gets it."""
    assert text.startswith("whsec_")
    return b64decode(text.removeprefix("whsec_"), validate=True)


class _Server(ThreadingHTTPServer):
    """A sender that is killed, or gives up, is nothing to speak of."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, for as long as it is used."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def misbehaving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that talks so on each of its connections."""
    server = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            talk(connection)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                Thread(target=one, args=(connection,), daemon=True).start()

    Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        # Closing alone does not wake a thread that waits in `accept`.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()

"""A small schema registry on loopback: what a client needs of it, over real HTTP."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

FIRST_ID = 101


class Registry:
    """What it holds. The same text has one id, under however many subjects."""

    def __init__(self) -> None:
        self.url = ""
        self.texts: dict[int, str] = {}
        self.kinds: dict[int, str] = {}
        self.subjects: dict[str, list[int]] = {}
        self.asked: list[str] = []
        self.broken: tuple[int, bytes] | None = None
        self.wants: str | None = None

    def add(self, text: str, kind: str = "AVRO") -> int:
        """The id of a schema, new or known."""
        for known, held in self.texts.items():
            if (held, self.kinds[known]) == (text, kind):
                return known
        schema_id = FIRST_ID + len(self.texts)
        self.texts[schema_id], self.kinds[schema_id] = text, kind
        return schema_id

    def register(self, subject: str, text: str) -> int:
        """A new version of a subject, unless it has that schema."""
        schema_id = self.add(text)
        versions = self.subjects.setdefault(subject, [])
        if schema_id not in versions:
            versions.append(schema_id)
        return schema_id

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request."""
        match method, path.strip("/").split("/"):
            case "POST", ["subjects", subject, "versions"]:
                return 200, {"id": self.register(subject, body["schema"])}
            case "GET", ["schemas", "ids", number] if int(number) in self.texts:
                kind = self.kinds[int(number)]
                named = {} if kind == "AVRO" else {"schemaType": kind}
                return 200, {"schema": self.texts[int(number)], **named}
            case "GET", ["schemas", "ids", _]:
                return 404, {"error_code": 40403, "message": "Schema not found"}
        return 405, {"error_code": 405, "message": "not in this registry"}


@contextmanager
def running_registry(certificate: Path | None = None) -> Iterator[Registry]:
    """A registry that answers on a free port until the end; with a certificate, by HTTPS."""
    held = Registry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._reply(json.loads(self.rfile.read(length)))

        def _reply(self, body: dict[str, Any]) -> None:
            held.asked.append(f"{self.command} {self.path}")
            status, answer = held.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            if held.wants not in (None, self.headers["Authorization"]):
                status, content = 401, b"{}"
            if held.broken is not None:
                status, content = held.broken
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: object) -> None:
            """Say nothing: the tests ask what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held.url = f"http://127.0.0.1:{server.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            held.url = f"https://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()

"""A receiver as a process of its own, to be killed: it notes a request, then answers."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.consumers.webhooks.receivers import got_by
from tools.program import arguments


def main(port: int, path: str) -> None:
    """Serve until killed."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            got = got_by(self)
            if got is None:
                return
            line = json.dumps({"headers": got.headers, "body": got.body.decode()}) + "\n"
            os.write(file, line.encode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    asked = arguments(__doc__, "port", "file")
    main(int(asked.port), asked.file)

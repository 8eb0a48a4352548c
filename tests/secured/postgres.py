"""A database that asks its user for a password, behind a proxy that speaks TLS.

The server of the wheel is built without TLS; what is proven here is our side of it, which is
libpq's: the proxy answers a client's request for TLS as a server does, and shows a certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import subprocess
import time
from asyncio import Server, StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg

from devstack.certificates import authority, issue
from devstack.postgres.database import Database, embedded, remove
from devstack.supervising.blueprint import database_env
from devstack.system.ports import listens, take_ports
from devstack.system.process_identity import spawn

PATIENCE_SECONDS = 60.0
USER, PASSWORD = "keeper", "c0rrect-horse"
_TLS_ASKED_FOR = struct.pack("!II", 8, 80877103)
_ACCESS = f"host all {USER} 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n"


@contextmanager
def secured_database(folder: Path, files: Path) -> Iterator[str]:
    """The URL of a database without the password; the authority in `files` signs what it shows."""
    folder.mkdir()
    server, _ = embedded(folder, take_ports({"postgres": 0})["postgres"], durable=False)
    log = folder / "postgres.log"
    server.configure()
    assert server.format_argv is not None
    formatting = spawn(server.format_argv, database_env(), log, server.folder, server.account)
    assert formatting.wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()
    server.formatted()
    (server.data / "pg_hba.conf").write_text(_ACCESS)
    running = spawn(server.argv, database_env(), log, server.folder, server.account)
    try:
        _prepare(server, running, log)
        with _tls_before(server.port, files) as port:
            yield f"postgresql://{USER}@127.0.0.1:{port}/ledger"
    finally:
        running.terminate()
        running.wait(timeout=PATIENCE_SECONDS)
        remove(folder)


@contextmanager
def _tls_before(port: int, files: Path) -> Iterator[int]:
    """The port of a proxy whose clients must ask for TLS."""
    shown = files / "database.pem"
    issue(authority(files), shown, "postgres", ("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(_TLS_ASKED_FOR)) == _TLS_ASKED_FOR:
                writer.write(b"S")
                await writer.start_tls(context)
                there, back = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        writer.close()

    async def start() -> Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    async def stop(server: Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE_SECONDS)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def _prepare(server: Database, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, Event()
    while not (listens(server.port) and server.answers()):
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        pause.wait(0.05)
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {USER} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
        admin.execute(f"CREATE DATABASE ledger OWNER {USER}")

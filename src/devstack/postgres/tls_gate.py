"""Speaks TLS in front of the embedded database server, whose binaries are built without it.

    python -m devstack.postgres.tls_gate PORT SERVER_PORT CERTIFICATE

A client has to ask for TLS, as with `sslmode=verify-full`; then its bytes are passed on as they
are.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import struct
import sys
from asyncio import StreamReader, StreamWriter
from pathlib import Path

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65_536
ASKING_SECONDS = 10.0
"""Within this time a client has asked for TLS, and is through with its greeting."""
TLS_ASKED_FOR = struct.pack("!II", 8, 80_877_103)
GSS_ASKED_FOR = struct.pack("!II", 8, 80_877_104)
"""Requests of PostgreSQL's protocol, before anything else."""


async def serve(port: int, server_port: int, certificate: Path) -> None:
    """Accept clients until SIGTERM or SIGINT."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def client(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await _pass(reader, writer, context, server_port)
        finally:
            writer.close()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await asyncio.start_server(client, LOOPBACK, port)
    await stop.wait()


async def _pass(
    reader: StreamReader, writer: StreamWriter, context: ssl.SSLContext, server_port: int
) -> None:
    async with asyncio.timeout(ASKING_SECONDS):
        asked = await reader.readexactly(len(TLS_ASKED_FOR))
        if asked == GSS_ASKED_FOR:
            writer.write(b"N")
            asked = await reader.readexactly(len(TLS_ASKED_FOR))
        if asked != TLS_ASKED_FOR:
            return
        writer.write(b"S")
        await writer.start_tls(context)
    back, forth = await asyncio.open_connection(LOOPBACK, server_port)
    try:
        ways = [asyncio.create_task(_copy(*way)) for way in ((reader, forth), (back, writer))]
        # Whoever ends first ends both: half a conversation is of no use to PostgreSQL.
        _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in left:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    finally:
        forth.close()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))

"""A TCP proxy between a client and a server, which can delay, cut, lose and swallow what passes.

It runs on a thread of its own. A fault strikes at once, or when a chosen request passes by: an API
of Kafka's protocol, or a text in PostgreSQL's. Of a secured server it has the key, and speaks TLS
with both sides, so that it sees what passes all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from devstack.postgres.tls_gate import TLS_ASKED_FOR

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Spots = Callable[[bytes], bool]
"""Whether a chunk from the client is the request waited for."""

_CHUNK = 256 * 1024
_STEP_SECONDS = 0.02
_GREETING_SECONDS = 10.0
_KAFKA_APIS = {
    "Produce": 0,
    "Fetch": 1,
    "OffsetFetch": 9,
    "FindCoordinator": 10,
    "JoinGroup": 11,
    "Heartbeat": 12,
    "SyncGroup": 14,
    "InitProducerId": 22,
    "AddPartitionsToTxn": 24,
    "AddOffsetsToTxn": 25,
    "EndTxn": 26,
    "TxnOffsetCommit": 28,
}


class Mode(StrEnum):
    """What happens to the connections of a link."""

    DELAY = "delay"
    """Every chunk waits, in both directions."""
    CUT = "cut"
    """All connections are reset; new ones are refused until it heals."""
    LOSE_REQUEST = "lose request"
    """The request does not arrive; its connection is reset."""
    LOSE_REPLY = "lose reply"
    """The request arrives; its reply does not, and the connection is reset."""
    SWALLOW = "swallow reply"
    """The request arrives; nothing ever comes back, and the connection stays open."""
    HALF_OPEN = "half-open"
    """Nothing passes either way, and nobody is told."""


class Fault(Struct, frozen=True, kw_only=True):
    """A fault, the request that sets it off (None: at once), and how long it lasts."""

    mode: Mode
    seconds: float
    spots: Spots | None = None


def kafka_request(api: str) -> Spots:
    """Spots a request of Kafka's protocol: 4 bytes of length, then the API's number."""
    wanted = _KAFKA_APIS[api].to_bytes(2, "big")
    return lambda chunk: chunk[4:6] == wanted


def containing(text: bytes) -> Spots:
    """Spots a chunk that holds this text."""
    return lambda chunk: text in chunk


class Tls(Struct, frozen=True, kw_only=True):
    """How a link speaks TLS with both sides, with the server's own key, so that it can read what
    passes. `asked_for`: a client asks for TLS first, as PostgreSQL's do.
    """

    certificate: Path
    authority: Path
    asked_for: bool = False

    async def accepted(self, client: Streams) -> None:
        """Be the server for a client."""
        reader, writer = client
        if self.asked_for:
            while await reader.readexactly(len(TLS_ASKED_FOR)) != TLS_ASKED_FOR:
                writer.write(b"N")
            writer.write(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        await writer.start_tls(context)

    async def opened(self, server: Streams) -> None:
        """Be the client of the server."""
        reader, writer = server
        if self.asked_for:
            writer.write(TLS_ASKED_FOR)
            if await reader.readexactly(1) != b"S":
                raise ConnectionError("the server speaks no TLS")
        context = ssl.create_default_context(cafile=self.authority)
        await writer.start_tls(context, server_hostname="127.0.0.1")


class Proxy:
    """One link: listens at `listened` on the loopback and passes on to `target`."""

    def __init__(self, listened: int, target: int, tls: Tls | None = None) -> None:
        self.listened = listened
        self._target = target
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._links: set[_Link] = set()
        self._fault: Fault | None = None
        self._struck_at: float | None = None
        self._heal_at = 0.0
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    def strike(self, fault: Fault) -> None:
        """From now on, or from the request it waits for."""
        self._run(self._arm(fault))

    @property
    def struck_at(self) -> float | None:
        """When the fault set in (seconds since 1970); None before."""
        return self._struck_at

    def heal(self) -> None:
        """All is well again; connections that lost something are reset."""
        self._run(self._mend())

    def close(self) -> None:
        """Stop listening and drop all connections."""
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()

    def active(self, *modes: Mode) -> bool:
        """Whether one of these is at work now."""
        if self._fault is None or self._struck_at is None or self._fault.mode not in modes:
            return False
        return time.monotonic() < self._heal_at

    def passes(self, chunk: bytes) -> bool:
        """Note a chunk from a client; whether it sets off the fault that waits for it."""
        fault = self._fault
        if fault is None or self._struck_at is not None or fault.spots is None:
            return False
        if not fault.spots(chunk):
            return False
        self._set_in(fault)
        return True

    @property
    def fault(self) -> Fault | None:
        """The fault that waits or is at work."""
        return self._fault

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10.0)

    def _set_in(self, fault: Fault) -> None:
        self._struck_at = time.time()
        self._heal_at = time.monotonic() + fault.seconds

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.listened, limit=_CHUNK
        )

    async def _arm(self, fault: Fault) -> None:
        self._fault, self._struck_at = fault, None
        if fault.spots is None:
            self._set_in(fault)
        if fault.mode is Mode.CUT and fault.spots is None:
            for link in list(self._links):
                link.reset()

    async def _mend(self) -> None:
        self._fault, self._struck_at = None, None
        for link in list(self._links):
            if link.spoilt:
                link.reset()

    async def _shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in list(self._links):
            link.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.active(Mode.CUT):
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                if self._tls is not None:  # first: what the client sends before that is lost
                    await self._tls.accepted((reader, writer))
                upstream = await asyncio.open_connection("127.0.0.1", self._target, limit=_CHUNK)
                if self._tls is not None:
                    await self._tls.opened(upstream)
        except (OSError, EOFError, TimeoutError):
            writer.transport.abort()
            return
        link = _Link(self, (reader, writer), upstream)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


class _Link:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: Proxy,
        client: Streams,
        server: Streams,
    ) -> None:
        self._proxy = proxy
        self._client, self._server = client, server
        self._deaf = False
        """The server's answers no longer reach the client."""
        self._reset_on_reply = False
        self.spoilt = False
        """Something was lost on the way: the connection cannot go on."""

    async def run(self) -> None:
        """Pass on until either side ends."""
        both = (asyncio.create_task(self._requests()), asyncio.create_task(self._replies()))
        _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        self.reset()

    def reset(self) -> None:
        """Both ends see a reset, not an orderly end."""
        for _, writer in (self._client, self._server):
            found = writer.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def _requests(self) -> None:
        reader, writer = self._client[0], self._server[1]
        while chunk := await reader.read(_CHUNK):
            if self._proxy.passes(chunk) and not self._struck():
                return
            if await self._held_up():
                continue
            writer.write(chunk)
            await writer.drain()

    async def _replies(self) -> None:
        reader, writer = self._server[0], self._client[1]
        while chunk := await reader.read(_CHUNK):
            if self._reset_on_reply:
                return
            if await self._held_up() or self._deaf:
                self.spoilt = True
                continue
            writer.write(chunk)
            await writer.drain()

    def _struck(self) -> bool:
        """What the fault means for the connection that set it off; False ends it at once."""
        fault = self._proxy.fault
        assert fault is not None
        match fault.mode:
            case Mode.CUT | Mode.LOSE_REQUEST:
                return False
            case Mode.LOSE_REPLY:
                self._reset_on_reply = True
            case Mode.SWALLOW:
                self._deaf = self.spoilt = True
            case Mode.DELAY | Mode.HALF_OPEN:
                pass
        return True

    async def _held_up(self) -> bool:
        """Wait out a delay; whether the chunk is lost."""
        if self._proxy.active(Mode.DELAY):
            await asyncio.sleep(10 * _STEP_SECONDS)
        if self._proxy.active(Mode.HALF_OPEN):
            self.spoilt = True
            return True
        return False

"""A client whose broker is away leaves no socket behind."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError
from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport

from ledger.log.kafka.client.security import KafkaSecurity, Protocol, tls_context
from ledger.log.kafka.client.sockets import close_refused_sockets

SECURED = KafkaSecurity(protocol=Protocol.SSL)


class Net:
    """Waits as the client's own loop does."""

    async def wait_write(self, sock: Any, timeout_at: float | None = None) -> None:
        await asyncio.sleep(0.01)


def nobody_listens() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_refused_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    close_refused_sockets()
    close_refused_sockets()
    made: list[socket.socket] = []
    inet = KafkaNetSocket()

    def remembered(*about: Any) -> socket.socket:
        made.append(socket.socket(*about))
        return made[-1]

    monkeypatch.setattr(inet, "socket", remembered)
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", nobody_listens()))
    with pytest.raises(KafkaConnectionError):
        asyncio.run(inet.connect(Net(), address))
    assert [each.fileno() for each in made] == [-1]


def test_a_socket_whose_handshake_fails_is_closed() -> None:
    close_refused_sockets()
    ours, theirs = socket.socketpair()
    transport = KafkaSSLTransport(Net(), ours, ssl_context=tls_context(SECURED), host="broker")
    wrapped = transport._sock
    theirs.close()
    with pytest.raises(OSError, match=r".+"):
        asyncio.run(transport.handshake())
    assert wrapped.fileno() == -1

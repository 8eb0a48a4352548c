"""Closes sockets that were of no use: kafka-python 3.0.12 leaves them to the collector."""

from __future__ import annotations

from typing import Any

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport

_MARK = "closes_refused_sockets"


def close_refused_sockets() -> None:
    """From now on every client of this process closes what it could not connect.

    The client makes a socket in `KafkaNetSocket.connect` and hands it to `sock_connect`, which
    raises where nobody listens; nobody closes it. While a broker is away that is one every few
    hundredths of a second. Of TLS the same holds for its handshake: it fails, or the client is
    closed before it is over. Called again it does nothing.
    """
    connect, handshake = KafkaNetSocket.sock_connect, KafkaSSLTransport.handshake
    if getattr(connect, _MARK, False):
        return

    async def closing(
        self: Any, net: Any, sock: Any, sockaddr: Any, timeout_at: float | None = None
    ) -> Any:
        try:
            return await connect(self, net, sock, sockaddr, timeout_at=timeout_at)
        except BaseException:
            sock.close()
            raise

    async def closing_transport(self: Any) -> None:
        sock = self._sock
        try:
            await handshake(self)
        except BaseException:
            sock.close()
            raise

    setattr(closing, _MARK, True)
    KafkaNetSocket.sock_connect = closing
    KafkaSSLTransport.handshake = closing_transport

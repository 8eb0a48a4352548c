"""Closes sockets that failed to connect: kafka-python 3.0.12 leaves them to garbage collection."""

from __future__ import annotations

from typing import Any

from kafka.net.inet import KafkaNetSocket
from kafka.net.transport import KafkaSSLTransport

_MARK = "closes_refused_sockets"


def close_refused_sockets() -> None:
    """From now on every client of this process closes the sockets that it could not connect.

    The client creates a socket in `KafkaNetSocket.connect` and gives it to `sock_connect`, which
    raises if no server listens; the socket is not closed. While a broker is down, this happens
    every few hundredths of a second. The same is true of a TLS handshake that fails, or that has
    not ended when the client is closed. A second call does nothing.
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

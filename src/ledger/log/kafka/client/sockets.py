"""Closes a socket whose connection was refused: kafka-python 3.0.12 leaves it to the collector."""

from __future__ import annotations

from typing import Any

from kafka.net.inet import KafkaNetSocket

_MARK = "closes_refused_sockets"


def close_refused_sockets() -> None:
    """From now on every client of this process closes what it could not connect.

    The client makes a socket in `KafkaNetSocket.connect` and hands it to `sock_connect`, which
    raises where nobody listens; nobody closes it. While a broker is away that is one every few
    hundredths of a second. Called again it does nothing.
    """
    connect = KafkaNetSocket.sock_connect
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

    setattr(closing, _MARK, True)
    KafkaNetSocket.sock_connect = closing

"""Loopback ports: chooses free ones, and raises an error for a requested port that is in use."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

from devstack.errors import DevstackError

LOOPBACK = "127.0.0.1"
CHOICE = range(17_000, 32_000)
"""Below the ports that the system gives to clients. So while a server restarts, no client
connection can take its port, and no client that tries again can connect to itself."""


def take_ports(wanted: dict[str, int]) -> dict[str, int]:
    """A port for each name: the requested one, or a free one for 0; all different.

    Raises DevstackError if a requested port is in use.
    """
    with ExitStack() as held:
        return {name: _take(name, port, held) for name, port in wanted.items()}


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with ExitStack() as held:
        return _hold(port, held) is None


def listens(port: int) -> bool:
    """Whether a server accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        return client.connect_ex((LOOPBACK, port)) == 0


def _take(name: str, port: int, held: ExitStack) -> int:
    if not port:
        return next(port for port in random.sample(CHOICE, len(CHOICE)) if not _hold(port, held))
    error = _hold(port, held)
    if error:
        raise DevstackError(
            f"port {port} for {name} on {LOOPBACK} is in use ({error.strerror}): stop the process "
            "that listens there, or choose another port (0 chooses a free one)."
        )
    return port


def _hold(port: int, held: ExitStack) -> OSError | None:
    """Listen on the port until `held` ends; returns the error if that is not possible."""
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As the servers do: a port whose old connections are in TIME_WAIT is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1)
    except OSError as error:
        return error
    return None

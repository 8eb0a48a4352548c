"""Loopback ports: free ones where the choice is ours, a clear no where it is not."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

from devstack.errors import DevstackError

LOOPBACK = "127.0.0.1"
CHOICE = range(17_000, 32_000)
"""Below the ports the system hands to clients: while a server is down to be restarted, no client
connection can take its port, nor a client that keeps trying connect to itself."""


def take_ports(wanted: dict[str, int]) -> dict[str, int]:
    """A port for each name: the wanted one, or a free one where 0 is wanted; all different.

    Raises DevstackError where a wanted port is taken.
    """
    with ExitStack() as held:
        return {name: _take(name, port, held) for name, port in wanted.items()}


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with ExitStack() as held:
        return _hold(port, held) is None


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        return client.connect_ex((LOOPBACK, port)) == 0


def _take(name: str, port: int, held: ExitStack) -> int:
    if not port:
        return next(port for port in random.sample(CHOICE, len(CHOICE)) if not _hold(port, held))
    error = _hold(port, held)
    if error:
        raise DevstackError(
            f"port {port} for {name} on {LOOPBACK} is taken ({error.strerror}): stop what listens "
            "there, or choose another port (0 takes a free one)."
        )
    return port


def _hold(port: int, held: ExitStack) -> OSError | None:
    """Listen on the port until `held` ends; why not, if that cannot be."""
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As the servers do: a port whose last connections still fade away is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1)
    except OSError as error:
        return error
    return None

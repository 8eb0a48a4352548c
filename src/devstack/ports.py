"""Loopback ports: free ones where the choice is ours, a clear no where it is not."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from devstack.errors import DevstackError

LOOPBACK = "127.0.0.1"


def take_ports(wanted: dict[str, int]) -> dict[str, int]:
    """A port for each name: the wanted one, or a free one where 0 is wanted; all different.

    Raises DevstackError where a wanted port is taken.
    """
    with ExitStack() as held:
        return {name: _bind(name, port, held) for name, port in wanted.items()}


def is_free(port: int) -> bool:
    """Whether nothing listens on the port now."""
    with ExitStack() as held:
        try:
            _listener(port, held)
        except OSError:
            return False
    return True


def _bind(name: str, port: int, held: ExitStack) -> int:
    try:
        return _listener(port, held)
    except OSError as error:
        raise DevstackError(
            f"port {port} for {name} on {LOOPBACK} is taken ({error.strerror}): stop what listens "
            "there, or choose another port (0 takes a free one)."
        ) from error


def _listener(port: int, held: ExitStack) -> int:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As the servers do: a port whose last connections still fade away is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(1)
    chosen: int = listener.getsockname()[1]
    return chosen

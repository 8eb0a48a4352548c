"""Where `refundctl serve` listens."""

from __future__ import annotations

import socket

import pytest

from console.commands.serve import listening_at
from console.terminal.errors import Failed


def test_the_rest_of_an_answer_does_not_wait_for_the_client() -> None:
    with (
        listening_at("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_port_that_is_taken_is_told_with_the_next_step() -> None:
    with listening_at("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failed, match=f"cannot listen on 127.0.0.1:{port}: .*; choose another"):
            listening_at("127.0.0.1", port)

"""The proxy does to a connection what it is told to, and nothing when it is told nothing."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.certificates import authority, issue
from devstack.postgres.tls_gate import TLS_ASKED_FOR
from devstack.system.ports import take_ports
from tests.torture.proxy import Fault, Mode, Proxy, Tls, containing, kafka_request

LONG = 60.0


class Echo(socketserver.BaseRequestHandler):
    """Says back what it hears, and remembers it."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while heard := self.request.recv(1_000):
                self.server.heard.append(heard)  # type: ignore[attr-defined]  # ours, set below
                self.request.sendall(b"re: " + heard)


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[Proxy]:
    """A proxy before a server that says back what it hears."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.heard = heard  # type: ignore[attr-defined]  # for the handler
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Proxy(take_ports({"proxy": 0})["proxy"], server.server_address[1])
        yield made
        made.close()
        server.shutdown()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.listened), timeout=10.0)


def asked(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(1_000)


def answer_if_any(proxy: Proxy) -> bytes | None:
    """None where the connection is not even accepted, or closed at once."""
    try:
        with connect(proxy) as client:
            return asked(client, b"three") or None
    except ConnectionError:
        return None


def test_without_a_fault_all_passes_both_ways(proxy: Proxy) -> None:
    with connect(proxy) as client:
        assert asked(client, b"one") == b"re: one"
        assert asked(client, b"two") == b"re: two"


def test_a_cut_resets_what_is_open_and_refuses_what_is_new(proxy: Proxy) -> None:
    with connect(proxy) as client, connect(proxy) as other:
        asked(client, b"one")
        asked(other, b"two")
        proxy.strike(Fault(mode=Mode.CUT, seconds=LONG))
        for each in (client, other):
            with pytest.raises(ConnectionResetError):
                each.recv(1)
    assert answer_if_any(proxy) is None
    proxy.heal()
    with connect(proxy) as new:
        assert asked(new, b"four") == b"re: four"


def test_a_lost_request_never_arrives_and_resets_its_connection(
    proxy: Proxy, heard: list[bytes]
) -> None:
    fault = Fault(mode=Mode.LOSE_REQUEST, seconds=LONG, spots=containing(b"COMMIT"))
    proxy.strike(fault)
    with connect(proxy) as client:
        assert asked(client, b"BEGIN") == b"re: BEGIN"
        assert proxy.struck_at is None
        with pytest.raises(ConnectionResetError):
            asked(client, b"COMMIT")
    assert heard == [b"BEGIN"]
    assert proxy.struck_at is not None


def test_a_lost_reply_is_of_a_request_that_did_arrive(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.strike(Fault(mode=Mode.LOSE_REPLY, seconds=LONG, spots=containing(b"COMMIT")))
    with connect(proxy) as client, pytest.raises(ConnectionResetError):
        asked(client, b"COMMIT")
    assert heard == [b"COMMIT"]


def test_a_swallowed_reply_leaves_the_connection_open(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.strike(Fault(mode=Mode.SWALLOW, seconds=LONG, spots=containing(b"COMMIT")))
    with connect(proxy) as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            asked(client, b"COMMIT")
        assert heard == [b"COMMIT"]
        proxy.heal()
        client.settimeout(10.0)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_half_open_nothing_passes_and_nobody_is_told(proxy: Proxy, heard: list[bytes]) -> None:
    with connect(proxy) as client:
        asked(client, b"one")
        proxy.strike(Fault(mode=Mode.HALF_OPEN, seconds=LONG))
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            asked(client, b"two")
    assert heard == [b"one"]


def test_a_delay_loses_nothing(proxy: Proxy) -> None:
    proxy.strike(Fault(mode=Mode.DELAY, seconds=LONG))
    with connect(proxy) as client:
        assert asked(client, b"one") == b"re: one"


def test_a_request_of_kafka_is_known_by_its_api() -> None:
    end_of_transaction = b"\0\0\0\x20\0\x1a\0\3rest"
    assert kafka_request("EndTxn")(end_of_transaction)
    assert not kafka_request("Produce")(end_of_transaction)


@pytest.fixture(params=[False, True], ids=["kafka", "postgres"])
def tls(request: pytest.FixtureRequest, tmp_path: Path) -> Tls:
    """The key of a server, and whether its clients ask for TLS first."""
    signer = authority(tmp_path)
    issue(signer, tmp_path / "server.pem", "server", ("127.0.0.1",))
    return Tls(
        certificate=tmp_path / "server.pem",
        authority=tmp_path / "ca.pem",
        asked_for=request.param,
    )


class SecretEcho(Echo):
    """The same, by TLS."""

    def handle(self) -> None:
        told: Tls = self.server.tls  # type: ignore[attr-defined]  # ours, set below
        if told.asked_for:
            assert self.request.recv(8) == TLS_ASKED_FOR
            self.request.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(told.certificate)
        with context.wrap_socket(self.request, server_side=True) as self.request:
            super().handle()


@pytest.fixture
def secured(heard: list[bytes], tls: Tls) -> Iterator[Proxy]:
    """A proxy that has the key of the server behind it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SecretEcho) as server:
        server.daemon_threads = True
        server.heard, server.tls = heard, tls  # type: ignore[attr-defined]  # for the handler
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Proxy(take_ports({"proxy": 0})["proxy"], server.server_address[1], tls)
        yield made
        made.close()
        server.shutdown()


def connect_securely(proxy: Proxy, tls: Tls) -> ssl.SSLSocket:
    client = connect(proxy)
    if tls.asked_for:
        client.sendall(TLS_ASKED_FOR)
        assert client.recv(1) == b"S"
    context = ssl.create_default_context(cafile=tls.authority)
    return context.wrap_socket(client, server_hostname="127.0.0.1")


def test_by_tls_a_request_is_spotted_and_its_reply_lost_all_the_same(
    secured: Proxy, tls: Tls, heard: list[bytes]
) -> None:
    with connect_securely(secured, tls) as client:
        assert asked(client, b"one") == b"re: one"
        assert asked(client, b"x" * 900) == b"re: " + b"x" * 900
        secured.strike(Fault(mode=Mode.LOSE_REPLY, seconds=LONG, spots=containing(b"COMMIT")))
        assert asked(client, b"two") == b"re: two"
        assert not secured.active(Mode.LOSE_REPLY)
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            assert asked(client, b"COMMIT") == b""
    assert secured.active(Mode.LOSE_REPLY)
    assert heard[-1] == b"COMMIT"
    secured.heal()
    with connect_securely(secured, tls) as client:
        assert asked(client, b"three") == b"re: three"

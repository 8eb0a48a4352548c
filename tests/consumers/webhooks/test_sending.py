"""The sender against receivers that answer well, badly, slowly, for ever, or not at all."""

from __future__ import annotations

import gc
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event as Flag

import pytest
from msgspec.structs import replace

from consumers.webhooks.hooks import Hook, Secret
from consumers.webhooks.schedule import delay
from consumers.webhooks.sending import Delivery, Failure, Run, RunEnd, Sender, Sending
from consumers.webhooks.signing import headers
from consumers.webhooks.targets import CheckedNetwork, Network, networks_of
from devstack.certificates import authority, issue
from ledger.values.instants import HOUR, SECOND, parse_instant
from tests.consumers.webhooks.receivers import OK, Answer, Got, Receiver, misbehaving, receiving
from tests.waiting import PATIENCE_SECONDS

NOW = parse_instant("2026-01-05T08:00:00Z")
SECRETS = (b"new" * 8, b"old" * 8)
ANSWER_SECONDS = 1.0


class StoppedClock:
    """A clock that stands."""

    def now(self) -> int:
        return NOW


def unwrap(hook_id: str, secret: Secret) -> bytes:
    if secret.wrapped:
        raise ValueError(f"the secret of {hook_id} is wrapped")
    return secret.stored


def sending_to(
    addresses: Sequence[str] = (), allowed: tuple[Network, ...] = (), **other: object
) -> Sending:
    """How it is sent; every name has these addresses."""
    answers = iter([list(addresses)])

    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return next(answers)

    usual = Sending(
        network=CheckedNetwork(allowed, resolve),
        clock=StoppedClock(),
        unwrap=unwrap,
        answer_seconds=ANSWER_SECONDS,
    )
    return replace(usual, **other)


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender(sending_to())
    yield made
    made.close()


def run_to(url: str, count: int = 1, hook_id: str = "hook_1") -> Run:
    secrets = tuple(
        Secret(number=2 - place, stored=secret, wrapped=False)
        for place, secret in enumerate(SECRETS)
    )
    deliveries = tuple(
        Delivery(offset=number, webhook_id=f"msg_{number}", body=b'{"n":%d}' % number)
        for number in range(count)
    )
    hook = Hook(hook_id=hook_id, url=url, events=frozenset(), starts=(0,), secrets=secrets)
    return Run(hook=hook, account_id="acct-1", deliveries=deliveries)


def end_of(sender: Sender, run: Run) -> RunEnd:
    sender.start(run)
    (end,) = sender.ended(PATIENCE_SECONDS)
    return end


def failure_of(sender: Sender, url: str) -> Failure:
    end = end_of(sender, run_to(url, 3))
    assert (end.delivered, end.failure is None) == (0, False)
    assert end.failure is not None
    return end.failure


def answering(status: int, **headers_told: str) -> Callable[[Got], Answer]:
    told = {name.replace("_", "-"): value for name, value in headers_told.items()}
    return lambda _: (status, told)


def saying(told: bytes) -> Callable[[socket.socket], None]:
    """Says it, and reads all that is sent: bytes that nobody read would reset the connection."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(told)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    return talk


def test_a_run_is_sent_in_order_and_signed_with_every_secret(sender: Sender) -> None:
    with receiving() as receiver:
        run = run_to(receiver.url + "?a=1", 5)
        assert end_of(sender, run) == RunEnd(run=run, delivered=5)
    assert [got.webhook_id for got in receiver.got] == [f"msg_{n}" for n in range(5)]
    for got in receiver.got:
        signed = headers(got.webhook_id, NOW, got.body, SECRETS)
        assert signed.items() <= got.headers.items()
        assert got.headers["content-type"] == "application/json"
        assert got.path == "/refunds?a=1"


def test_a_run_stops_at_the_first_that_is_not_taken(sender: Sender) -> None:
    with receiving() as receiver:
        receiver.answer = lambda got: (500, {}) if got.webhook_id == "msg_2" else OK
        end = end_of(sender, run_to(receiver.url, 5))
    assert (end.delivered, end.failure) == (2, Failure(why="status 500"))
    assert len(receiver.got) == 3


def test_a_run_ends_early_so_that_what_was_delivered_is_recorded() -> None:
    sender = Sender(sending_to(run_seconds=0.0))
    with receiving() as receiver:
        end = end_of(sender, run_to(receiver.url, 5))
    sender.close()
    assert (end.delivered, end.failure, len(receiver.got)) == (1, None, 1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_answer_of_success_is_one(sender: Sender, status: int) -> None:
    with receiving() as receiver:
        receiver.answer = answering(status)
        assert end_of(sender, run_to(receiver.url)).failure is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(sender: Sender, status: int) -> None:
    with receiving() as receiver:
        receiver.answer = answering(status, location=receiver.url)
        assert failure_of(sender, receiver.url) == Failure(why=f"status {status}")
        assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_wants_no_more(sender: Sender) -> None:
    with receiving() as receiver:
        receiver.answer = answering(410)
        assert failure_of(sender, receiver.url).gone


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("120", 120 * SECOND),
        ("Mon, 05 Jan 2026 09:00:00 GMT", HOUR),
        ("Mon, 05 Jan 2026 07:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 50, None),
        ("Mon, 99 Jan 2026 07:00:00 GMT", None),
        (f"Mon, 05 Jan {'9' * 20} 07:00:00 GMT", None),
    ],
)
def test_a_receiver_may_ask_for_time(
    sender: Sender, status: int, told: str, asked: int | None
) -> None:
    with receiving() as receiver:
        receiver.answer = answering(status, retry_after=told)
        assert failure_of(sender, receiver.url).asked == asked
        receiver.answer = answering(500, retry_after=told)
        assert failure_of(sender, receiver.url).asked is None
    assert asked is None or delay(1, 0.5, asked) >= asked


def test_a_receiver_that_does_not_answer_costs_its_time_and_no_more(sender: Sender) -> None:
    with misbehaving(silent) as url:
        assert failure_of(sender, url).why == "no answer within 1 s"


def test_a_receiver_that_answers_a_byte_at_a_time_costs_no_more_either(sender: Sender) -> None:
    def dripping(connection: socket.socket) -> None:
        connection.recv(65_536)
        while connection.send(b"H"):
            Flag().wait(0.01)

    with misbehaving(dripping) as url:
        assert failure_of(sender, url).why == "no answer within 1 s"


def test_a_header_that_never_ends_is_no_answer(sender: Sender) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x-more: " + b"x" * 65_536)

    with misbehaving(endless) as url:
        assert "not HTTP" in failure_of(sender, url).why


def test_an_answer_that_never_ends_is_not_read_to_its_end(sender: Sender) -> None:
    sent: list[int] = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sent.append(connection.send(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"))

    with misbehaving(endless) as url:
        end = end_of(sender, run_to(url, 3))
    assert (end.delivered, end.failure) == (3, None)
    assert sum(sent) < 30_000_000


def test_an_answer_that_is_not_finished_counts_by_its_status(sender: Sender) -> None:
    def unfinished(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")

    with misbehaving(unfinished) as url:
        assert end_of(sender, run_to(url)).failure is None


def test_a_receiver_that_closes_is_tried_again(sender: Sender) -> None:
    with misbehaving(lambda connection: connection.close()) as url:
        assert failure_of(sender, url).why


def test_a_receiver_that_is_not_there_is_tried_again(sender: Sender) -> None:
    with receiving() as receiver:
        url = receiver.url
    assert failure_of(sender, url).why.startswith("no connection")


def test_what_is_no_http_is_no_answer(sender: Sender) -> None:
    with misbehaving(saying(b"220 mail ready\r\n\r\n")) as url:
        assert "not HTTP" in failure_of(sender, url).why


def test_of_a_long_line_that_is_no_http_a_part_is_kept(sender: Sender) -> None:
    with misbehaving(saying(b"HTTP/1.1 200 OK\r\n" + b"x" * 60_000 + b"\r\n\r\n")) as url:
        why = failure_of(sender, url).why
    assert "not HTTP" in why
    assert len(why) < 300


def test_a_name_that_cannot_be_looked_up_is_a_failure_of_its_hook_alone() -> None:
    sender = Sender(replace(sending_to(), network=CheckedNetwork(())))
    assert "address is not known" in failure_of(sender, "https://receiver..example/").why
    sender.close()


def test_a_hook_that_hangs_holds_up_no_other() -> None:
    sender = Sender(sending_to(answer_seconds=PATIENCE_SECONDS))
    hanging, released = [], Flag()

    def hang(connection: socket.socket) -> None:
        hanging.append(connection.recv(65_536))
        released.wait(PATIENCE_SECONDS)

    with misbehaving(hang) as url, receiving() as receiver:
        for number in range(50):
            sender.start(run_to(url, 1, f"hook_{number}"))
        assert end_of(sender, run_to(receiver.url, 5, "another")).delivered == 5
    sender.close()
    released.set()


def test_it_may_be_closed_while_connections_begin() -> None:
    gc.collect()  # what other tests left
    with misbehaving(lambda _: None) as url, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(20):
            sender = Sender(sending_to())
            for number in range(50):
                sender.start(run_to(url, 1, f"hook_{number}"))
            sender.close()
        gc.collect()
    assert [str(each.message) for each in said] == []


def test_a_secret_that_cannot_be_unwrapped_is_told(sender: Sender) -> None:
    run = run_to("http://127.0.0.1:9/")
    wrapped = tuple(replace(each, wrapped=True) for each in run.hook.secrets)
    run = replace(run, hook=replace(run.hook, secrets=wrapped))
    assert end_of(sender, run).failure == Failure(why="the secret of hook_1 is wrapped")


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["1.1.1.1", "10.0.0.1"], ["fe80::1%eth0"], ["::1"]],
)
def test_a_name_that_leads_inside_is_not_connected_to(addresses: list[str]) -> None:
    sender = Sender(sending_to(addresses))
    why = failure_of(sender, "https://receiver.example/").why
    sender.close()
    assert "not a public address" in why


def test_a_name_without_an_address_is_tried_again() -> None:
    sender = Sender(sending_to([]))
    why = failure_of(sender, "https://receiver.example/").why
    sender.close()
    assert why == "no connection: receiver.example has no address"


def test_a_resolver_that_fails_is_tried_again() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, f"{host}:{port} not known")

    sender = Sender(sending_to(network=CheckedNetwork((), resolve)))
    why = failure_of(sender, "https://receiver.example/").why
    sender.close()
    assert "receiver.example:443 not known" in why


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for receiver.example, and a client that trusts its authority."""
    trusted = authority(tmp_path)
    issue(trusted, tmp_path / "receiver.pem", "receiver", hosts=("receiver.example",))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "receiver.pem")
    return server, ssl.create_default_context(cafile=tmp_path / "ca.pem")


def tls_end(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], name: str, count: int = 3
) -> tuple[RunEnd, Receiver]:
    """What becomes of a run to a receiver of that name; its resolver answers once alone."""
    server, client = contexts
    receiver = Receiver(server)
    allowed = networks_of("127.0.0.0/8")
    sender = Sender(sending_to(["127.0.0.1"], allowed, tls=client))
    end = end_of(sender, run_to(f"https://{name}:{receiver.port}/", count))
    sender.close()
    receiver.close()
    return end, receiver


def test_a_name_is_resolved_once_and_its_certificate_verified_for_the_name(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    end, receiver = tls_end(contexts, "receiver.example")
    assert (end.delivered, end.failure) == (3, None)
    assert receiver.got[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_another_name_than_the_certificates_is_not_told(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    end, receiver = tls_end(contexts, "another.example")
    assert receiver.got == []
    assert end.failure is not None
    assert "certificate" in end.failure.why.lower()


def silent(connection: socket.socket) -> None:
    """Takes the request, and says nothing until the other side gives up."""
    while connection.recv(65_536):
        pass

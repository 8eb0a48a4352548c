"""Passwords and certificates are replaced under load: no command is lost, and none is refused."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.running.kafka_access import security_of_file
from devstack.kafka.rotation import renew_certificate, renew_password
from devstack.kafka.security import authority_file, client_file, setting
from ledger.log.kafka import KafkaTools
from ledger.log.seam import LogUnavailable, Topic
from ledger.wire.avro.codec import decode_event
from tests.consumers.ledgers import opening, record
from tests.consumers.processes.stacks import PARTITIONS, Stack, refundctl, running_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

WAVE = 20
CONNECTIONS = 9


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("rotation") / "home", secure=True) as running:
        yield running


class Load(threading.Thread):
    """Upstream billing: opens accounts, and connects anew for every wave of them."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._over = threading.Event()
        self.sent = 0
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.is_set():
                self._wave()
        except BaseException as error:
            self.failed = error
            raise

    def wait_for_waves(self, count: int) -> None:
        """Until so many more were published."""
        goal = self.sent + count * WAVE
        wait_until(lambda: self.failed is not None or self.sent >= goal, f"{count} waves")
        assert self.failed is None

    def finish(self) -> int:
        self._over.set()
        self.join()
        assert self.failed is None
        return self.sent

    def _wave(self) -> None:
        accounts = [f"acct-{number}" for number in range(self.sent, self.sent + WAVE)]
        commands = [opening(account, f"open-{account}") for account in accounts]
        tools = as_principal(self._stack, "gateway")
        try:
            tools.publish([record(command, PARTITIONS) for command in commands])
        finally:
            tools.close()
        self.sent += WAVE


def security(stack: Stack) -> Path:
    return stack.home / "security"


def as_principal(stack: Stack, principal: str) -> KafkaTools:
    """A new connection by the principal's file as it is now."""
    own = security_of_file(client_file(security(stack), principal))
    return KafkaTools(replace(stack.settings, security=own))


def shown_certificates(stack: Stack) -> set[str]:
    """The serial numbers of what a broker shows to clients, by whichever of its threads."""
    host, port = stack.settings.bootstrap.split(":")
    context = ssl.create_default_context(cafile=str(authority_file(security(stack))))
    found = set()
    for _ in range(CONNECTIONS):
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert()
            assert shown is not None
            found.add(str(shown["serialNumber"]))
    return found


def restart(stack: Stack, process: str) -> None:
    """As an operator does: stop it in order, and have it started again."""
    before = stack.restarts(process)
    pid = stack.pid(process)
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: stack.restarts(process) > before, f"{process} to be started again")
    wait_until(lambda: stack.ready(process), f"{process} to be back")


def outcomes(stack: Stack) -> dict[str, list[str]]:
    """What became of each command."""
    found: dict[str, list[str]] = {}
    for each in stack.tools.replay(Topic.EVENTS):
        event = decode_event(each.value or b"")
        if event.meta.account_id:
            found.setdefault(event.meta.causation_id, []).append(event.name)
    return found


def under_load(stack: Stack, change: Callable[[Load], None]) -> None:
    """Whatever changes: what was published is decided, once, and nothing is set aside."""
    before = len(outcomes(stack))
    load = Load(stack)
    load.sent = before
    load.start()
    try:
        load.wait_for_waves(1)
        change(load)
        load.wait_for_waves(1)
    finally:
        sent = load.finish()
    wait_until(stack.decided, "every command to be decided")
    assert outcomes(stack) == {f"open-acct-{number}": ["AccountOpened"] for number in range(sent)}
    assert stack.tools.end_offsets(Topic.DEAD_LETTERS) == (0,) * PARTITIONS


def test_a_certificate_is_replaced_again_and_again(stack: Stack) -> None:
    def change(load: Load) -> None:
        shown = shown_certificates(stack)
        for _ in range(2):
            assert renew_certificate(security(stack)) == (1,)
            wait_until(
                lambda: shown.isdisjoint(shown_certificates(stack)),
                "the old one to be shown no more",
            )
            shown.update(shown_certificates(stack))
            load.wait_for_waves(1)
        assert len(shown) == 3

    under_load(stack, change)


@pytest.mark.parametrize("process", ["decider", "projector"])
def test_a_process_gets_a_new_password(stack: Stack, process: str) -> None:
    def change(load: Load) -> None:
        told = refundctl(stack.home, "secrets", "password", process)
        assert "restart what uses it" in told
        load.wait_for_waves(1)
        restart(stack, process)
        assert process in refundctl(stack.home, "secrets", "drop-old-passwords")

    under_load(stack, change)


def test_upstream_gets_a_new_password_and_the_old_one_holds_until_it_is_dropped(
    stack: Stack, tmp_path: Path
) -> None:
    path = client_file(security(stack), "gateway")
    old = tmp_path / "old.properties"
    old.write_bytes(path.read_bytes())
    old.chmod(0o600)

    def change(load: Load) -> None:
        before = setting(path, "sasl.mechanism")
        renew_password(security(stack), "gateway")
        assert setting(path, "sasl.mechanism") != before
        assert connects(stack, old)
        load.wait_for_waves(1)
        told = refundctl(stack.home, "secrets", "drop-old-passwords")
        assert told == "old passwords ended: gateway\n"
        assert not connects(stack, old)

    under_load(stack, change)
    assert (
        refundctl(stack.home, "secrets", "drop-old-passwords")
        == "old passwords ended: there were none\n"
    )


def connects(stack: Stack, properties: Path) -> bool:
    """Whether the brokers take that file's password."""
    tools = KafkaTools(replace(stack.settings, security=security_of_file(properties)))
    try:
        tools.end_offsets(Topic.EVENTS)
    except LogUnavailable:
        return False
    finally:
        tools.close()
    return True

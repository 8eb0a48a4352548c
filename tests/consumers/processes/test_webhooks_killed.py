"""`kill -9` of the sender and of the receiver: every event arrives, in order by account."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumers.webhooks.bodies import body_of, webhook_id
from consumers.webhooks.signing import headers
from devstack import Services
from devstack.system.ports import take_ports
from ledger.log.seam import Topic
from ledger.values.instants import SECOND
from ledger.vocabulary.envelope import RecordedEvent
from ledger.wire.avro.codec import decode_event
from tests.consumers.processes.stacks import Stack, refundctl, running_stack
from tests.consumers.processes.test_killed import COMMANDS, kill, mixed, settle
from tests.consumers.webhooks.receivers import Got, secret_of
from tests.house.tree import ROOT
from tests.waiting import wait_until

WAVES, KILLS = 20, 3


class KilledReceiver:
    """A receiver that can be killed, and what it noted before it answered."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._port = take_ports({"receiver": 0})["receiver"]
        self.url = f"http://127.0.0.1:{self._port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["-m", "tests.consumers.webhooks.receiver_process", str(self._port)]
        self._process = subprocess.Popen([sys.executable, *words, str(self._file)], cwd=ROOT)

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait_for_more(self, count: int) -> None:
        before = len(self.got())
        wait_until(lambda: len(self.got()) >= before + count, f"{count} more to arrive")

    def got(self) -> list[Got]:
        """Every request, as it came; the last one may have been cut off."""
        if not self._file.exists():
            return []
        lines = self._file.read_text("utf-8").split("\n")[:-1]
        found = [json.loads(line) for line in lines]
        return [Got(path="/", headers=e["headers"], body=e["body"].encode()) for e in found]


@contextmanager
def killed_receiver(folder: Path) -> Iterator[KilledReceiver]:
    receiver = KilledReceiver(folder / "got.jsonl")
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.kill()


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home") as running:
        yield running


def test_killing_sender_and_receiver_loses_nothing_and_keeps_the_order(
    stack: Stack, tmp_path: Path
) -> None:
    chance = random.Random(20_261_130)
    with killed_receiver(tmp_path) as receiver:
        added = refundctl(stack.home, "webhooks", "add", receiver.url, "--events", "all")
        hook, secret = re.findall(r"hook\s+(\S+)\nsecret\s+(\S+)", added)[0]
        victims = chance.sample(["sender", "receiver"] * KILLS, 2 * KILLS)
        for start in range(0, COMMANDS, COMMANDS // WAVES):
            stack.tools.publish([mixed(n) for n in range(start, start + COMMANDS // WAVES)])
            if start // (COMMANDS // WAVES) % 2 and victims:
                receiver.wait_for_more(20)
                if victims.pop() == "sender":
                    kill(stack, "webhooks")
                else:
                    receiver.kill()
                    receiver.start()
        settle(stack)
        events = recorded(stack)
        wait_until(
            lambda: {got.webhook_id for got in receiver.got()} >= ids(hook, events),
            "every event to arrive",
        )
        assert victims == []
        assert stack.restarts("webhooks") == KILLS
        assert_in_order_and_recognisable(receiver.got(), hook, events, secret)
    shown = refundctl(stack.home, "webhooks", "show", hook)
    assert f"hook      {hook}, active" in shown


def recorded(stack: Stack) -> list[RecordedEvent]:
    """The events of accounts, in the order of the log."""
    found = [decode_event(each.value) for each in stack.tools.replay(Topic.EVENTS)]
    return [event for event in found if event.meta.account_id]


def ids(hook: str, events: list[RecordedEvent]) -> set[str]:
    return {webhook_id(hook, event.meta.event_id) for event in events}


def assert_in_order_and_recognisable(
    got: list[Got], hook: str, events: list[RecordedEvent], secret: str
) -> None:
    """Each event once or more, all its repeats alike; of an account first the first one."""
    bodies = {webhook_id(hook, event.meta.event_id): body_of(event) for event in events}
    firsts: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for each in got:
        assert each.body == bodies[each.webhook_id]
        now = int(each.headers["webhook-timestamp"]) * SECOND
        signed = headers(each.webhook_id, now, each.body, [secret_of(secret)])
        assert signed.items() <= each.headers.items()
        if each.webhook_id not in seen:
            firsts[each.account].append(int(each.told["sequence"]))
            seen.add(each.webhook_id)
    assert seen == bodies.keys()
    assert len(firsts) > 20
    assert all(each == list(range(1, len(each) + 1)) for each in firsts.values())
    assert len(got) > len(seen), "no kill led to a repeat"

"""`kill -9` in the middle of the work: the ledger is what it would have been without."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from consumers.sandbox import SandboxWorld
from devstack import Services
from ledger.codec import decode_event
from ledger.commands import QuoteInstanceReturn, ReturnInstance
from ledger.instants import DAY
from ledger.log import Outgoing, Topic
from ledger.shapes import Role
from tests.bodies import line, order
from tests.consumers.ledgers import START, assert_one_chain, given, opening, record, standing
from tests.consumers.oracle import expected_events, recorded_events
from tests.consumers.stacks import PARTITIONS, Stack, running_stack, wait_until

ACCOUNTS = 20
COMMANDS = 2_000
KILLS = 4


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home") as running:
        yield running


def mixed(number: int) -> Outgoing:
    """Orders, quotes, returns, refusals, redeliveries and records that are not ours."""
    account = f"acct-{number % ACCOUNTS}"
    kind = number // ACCOUNTS % 10
    last = number - kind * ACCOUNTS
    if number < ACCOUNTS:
        return record(opening(account), PARTITIONS)
    if kind == 9:
        good = record(standing(number, account), PARTITIONS)
        return Outgoing(
            topic=good.topic, partition=good.partition, key=good.key, value=b"\xc3\x01junk"
        )
    if kind in (6, 7):
        body = QuoteInstanceReturn(instance_id=f"i-{last}")
        return record(given(f"c-{number - kind % 2}", body, account=account, role=Role.OWNER), 4)
    if kind == 8:
        back = ReturnInstance(instance_id=f"i-{last}", acknowledged=True)
        return record(given(f"c-{number}", back, account=account, role=Role.SUPPORT), PARTITIONS)
    bought = order(f"o-{number}", line(f"i-{number}"), starts_at=START, ends_at=START + 3_650 * DAY)
    return record(given(f"c-{number}", bought, account=account), PARTITIONS)


def test_killing_the_decider_again_and_again_changes_nothing(stack: Stack) -> None:
    chance = random.Random(20_260_105)
    commands = [mixed(number) for number in range(COMMANDS)]
    waves = [commands[start : start + 100] for start in range(0, COMMANDS, 100)]
    killed_after = set(chance.sample(range(2, len(waves)), KILLS))
    killed = 0
    for number, wave in enumerate(waves):
        stack.tools.publish(wave)
        if number in killed_after:
            wait_until(lambda: stack.pid("decider") is not None, "a decider to kill")
            pid = stack.pid("decider")
            assert pid is not None
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            wait_until(lambda: stack.ready("decider"), "the decider to be back")
    assert killed == KILLS
    wait_until(stack.decided, "every command to be decided")
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert _dead_letters(stack) == sum(command.value == b"\xc3\x01junk" for command in commands)


def _dead_letters(stack: Stack) -> int:
    return sum(1 for _ in stack.tools.replay(Topic.DEAD_LETTERS))


def test_what_is_shown_after_the_projector_was_killed_is_the_ledger(stack: Stack) -> None:
    stack.tools.publish([mixed(number) for number in range(500)])
    wait_until(lambda: _shown(stack) > 0, "the projector to be at work")
    pid = stack.pid("projector")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    stack.tools.publish([mixed(number) for number in range(500, 1_000)])
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        SandboxWorld(connection, stack.tools).settle()
    events = [decode_event(each.value) for each in stack.tools.replay(Topic.EVENTS)]
    outcomes = {(each.meta.account_id, each.meta.causation_id) for each in events} - {("", "")}
    wait_until(lambda: _shown(stack) == len(outcomes), "every outcome to be shown")
    assert _zero_sum(stack) == {}


def _shown(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM read_models.outcomes").fetchone()
        return int(row[0]) if row else 0


def _zero_sum(stack: Stack) -> dict[str, int]:
    query = (
        "SELECT currency, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) AS total"
        " FROM read_models.postings GROUP BY currency"
        " HAVING sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) <> 0"
    )
    with psycopg.connect(stack.database_url) as connection:
        return dict(connection.execute(query).fetchall())

"""The backup drill: both sides from an older backup, and what came later published again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from devstack import Services, destroy
from devstack.postgres.database import installed
from ledger.log.seam import Outgoing, Topic
from projector.following.projection import CONSUMER
from tests import services as real
from tests.console.ledgers import PROGRAM
from tests.consumers.processes.stacks import Stack
from tests.consumers.processes.test_killed import ACCOUNTS, mixed
from tests.house.tree import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

BEFORE, AFTER, AGAIN = 300, 200, 60
"""Commands before the backup, after it, and how many of the former are published once more."""

SCRIPTS = ROOT / "deploy" / "backup"
QUESTIONS = ("balances", "refunds", "trial-balance")


@contextmanager
def machine(server_url: str, home: Path) -> Iterator[dict[str, str]]:
    """A home and an empty database, as the environment of a command says them."""
    tools = f"{installed() / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with real.fresh_database(server_url) as url:
        try:
            yield {**os.environ, "REFUNDS_HOME": str(home), "DATABASE_URL": url, "PATH": tools}
        finally:
            destroy(home)


def ran(machine: dict[str, str], *words: str | Path) -> str:
    done = subprocess.run(words, env=machine, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@contextmanager
def connected(home: Path) -> Iterator[Stack]:
    """The stack as it runs now."""
    stack = Stack(home)
    try:
        yield stack
    finally:
        stack.tools.close()


def publish(stack: Stack, commands: Sequence[Outgoing]) -> None:
    stack.tools.publish(commands)
    wait_until(stack.decided, "every command to be decided")


def shown(stack: Stack, machine: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    """What finance sees, once it has every event; no instants, which a new decision changes."""
    events = sum(1 for _ in stack.tools.replay(Topic.EVENTS))
    with psycopg.connect(machine["DATABASE_URL"], autocommit=True) as connection:
        wait_until(lambda: _count(connection) == events, "the read models to catch up")
    return {question: answers(machine, question) for question in QUESTIONS}


def _count(connection: psycopg.Connection[tuple[int]]) -> int:
    asked = "SELECT sum(log_sequence + 1)::int FROM consumers.checkpoints WHERE consumer = %s"
    (found,) = connection.execute(asked, (CONSUMER,)).fetchall()
    return found[0]


def answers(machine: dict[str, str], question: str) -> list[dict[str, object]]:
    lines = ran(machine, *PROGRAM, "query", question, "--json").splitlines()
    return [
        {
            key: value
            for key, value in json.loads(line).items()
            if not key.endswith("_at") and key != "working"
        }
        for line in lines
    ]


def test_after_the_drill_the_ledger_is_as_it_was(services: Services, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    commands = [mixed(number) for number in range(BEFORE + AFTER)]
    assert BEFORE > ACCOUNTS
    with machine(services.database_url, tmp_path / "first") as first:
        ran(first, *PROGRAM, "up")
        with connected(tmp_path / "first") as stack:
            publish(stack, commands[:BEFORE])
        ran(first, SCRIPTS / "take", backup)
        with connected(tmp_path / "first") as stack:
            publish(stack, commands[BEFORE:])
            lost = shown(stack, first)
    with machine(services.database_url, tmp_path / "second") as second:
        ran(second, SCRIPTS / "restore", backup)
        with connected(tmp_path / "second") as stack:
            assert len(shown(stack, second)["refunds"]) < len(lost["refunds"])
            publish(stack, commands[BEFORE - AGAIN :])
            assert shown(stack, second) == lost
        for words in (("audit", "verify"), ("reconcile",), ("rebuild", "--verify")):
            ran(second, *PROGRAM, *words)

"""`refundctl webhooks` on a ledger that runs: added, told, shown, redriven, rotated, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from consumers.webhooks.signing import headers
from devstack import Services
from ledger.log.kafka import KafkaTools
from ledger.values.instants import DAY, SECOND
from tests.console.ledgers import PARTITIONS, RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal
from tests.consumers.ledgers import opening, record, standing
from tests.consumers.webhooks.receivers import OK, receiving, secret_of
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def told(
    terminal: Terminal, services: Services, database: str, tmp_path: Path
) -> Iterator[tuple[Terminal, RunningLedger]]:
    """A terminal on a ledger that decides and tells its webhooks, and nothing else."""
    with running_ledger(
        services.bootstrap,
        database,
        tmp_path,
        sandbox=False,
        processes=("decider", "webhooks"),
    ) as ledger:
        terminal.use(ledger.environment)
        yield terminal, ledger


def test_a_webhook_is_told_shown_redriven_rotated_and_ended(
    told: tuple[Terminal, RunningLedger],
) -> None:
    terminal, ledger = told
    with receiving() as receiver, closing(KafkaTools(ledger.kafka)) as tools:
        receiver.answer = lambda got: (500, {}) if got.account == "acct-2" else OK
        added = terminal.run(
            "webhooks", "add", receiver.url, "--events", "AccountOpened, AccountStandingChanged"
        )
        assert added.code == 0, added.err
        ((hook, secret),) = re.findall(r"^hook    (\S+)\nsecret  (\S+)\n$", added.out)
        for account in ("acct-1", "acct-2"):
            tools.publish(
                [
                    record(opening(account, f"open-{account}"), PARTITIONS),
                    record(standing(1, account), PARTITIONS),
                ]
            )
        receiver.wait_for(3)
        assert receiver.of("acct-1") == [1, 2]
        for got in receiver.got:
            now = int(got.headers["webhook-timestamp"]) * SECOND
            signed = headers(got.webhook_id, now, got.body, [secret_of(secret)])
            assert signed.items() <= got.headers.items()

        wait_until(lambda: "status 500" in terminal.run("webhooks", "show", hook).out, "a failure")
        listed = terminal.run("webhooks", "list").out
        assert hook in listed
        assert "AccountOpened, AccountStandingChanged" in " ".join(listed.split())
        receiver.answer = lambda _: OK
        not_dead = terminal.run("webhooks", "redrive", hook, "--account", "acct-2", "--skip")
        assert (not_dead.code, "not dead" in not_dead.err) == (2, True)
        die(ledger, hook)
        assert terminal.run("webhooks", "redrive", hook).out == "1 account sent again from now on\n"
        wait_until(lambda: receiver.of("acct-2")[-2:] == [1, 2], "the rest to arrive")

        assert terminal.run("webhooks", "pause", hook).out == f"{hook} is paused\n"
        assert "paused already" in terminal.run("webhooks", "pause", hook).err
        assert "paused" in terminal.run("webhooks", "list").out
        sent = terminal.run("webhooks", "test", hook)
        assert re.fullmatch(r"msg_\S+ is on its way\n", sent.out), sent.err
        assert "still to be taken" in terminal.run("webhooks", "test", hook).err
        came = len(receiver.got)
        assert terminal.run("webhooks", "resume", hook).out == f"{hook} goes on\n"
        assert "not paused" in terminal.run("webhooks", "resume", hook).err
        receiver.wait_for(came + 1)
        assert b'"type":"WebhookTest"' in receiver.got[-1].body
        assert "no webhook" in terminal.run("webhooks", "test", "hook_none").err

        rotated = terminal.run("webhooks", "rotate", hook)
        assert rotated.out.startswith("secret  whsec_")
        assert secret not in rotated.out
        assert "number 1 until" in terminal.run("webhooks", "show", hook).out
        assert terminal.run("webhooks", "end", hook).code == 0
        assert terminal.run("webhooks", "end", hook).code == 2
        assert "ended by refundctl" in terminal.run("webhooks", "show", hook).out


def die(ledger: RunningLedger, hook: str) -> None:
    """A day passes for what waits."""
    with psycopg.connect(ledger.database_url, autocommit=True) as connection:
        changed = connection.execute(
            "UPDATE webhooks.queues SET state = 'DEAD', failing_since = failing_since - %s"
            " WHERE hook_id = %s AND failures > 0",
            (DAY, hook),
        )
        assert changed.rowcount == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("add", "https://a.example/", "--events", "RefundIsued"),
            "no such event as 'RefundIsued'",
        ),
        (("add", "https://a.example/", "--events", " , "), "no such event"),
        (("add", "http://a.example/", "--events", "all"), "use https"),
        (("add", "https://10.0.0.1/", "--events", "all"), "not a public address"),
    ],
)
def test_what_cannot_be_added_is_told(
    terminal: Terminal, words: tuple[str, ...], said: str
) -> None:
    found = terminal.run("webhooks", *words)
    assert (found.code, said in found.err) == (2, True), found.err


def test_networks_that_are_none_are_told(terminal: Terminal) -> None:
    terminal.use({"REFUNDS_WEBHOOK_NETWORKS": "ten"})
    found = terminal.run("webhooks", "add", "https://a.example/", "--events", "all")
    assert (found.code, "REFUNDS_WEBHOOK_NETWORKS" in found.err) == (2, True)


@pytest.mark.parametrize("command", ["show", "end", "redrive", "rotate"])
def test_a_hook_that_is_none_is_told(
    terminal: Terminal, live_ledger: RunningLedger, command: str
) -> None:
    terminal.use(live_ledger.environment)
    found = terminal.run("webhooks", command, "hook_none")
    assert (found.code, "refundctl webhooks list" in found.err) == (2, True)
    without_account = terminal.run("webhooks", "redrive", "hook_none", "--skip")
    assert without_account.code == 2

"""Keys of accounts: texts and erasures that meet, an erasure that was left, another master key."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from console.sealing.account_keys import AccountKeys, Erased
from console.sealing.giving import Sealing, sealing_with
from console.sealing.master_key import OTHER, SETTING, MasterKey
from console.sealing.rewrapping import rewrap
from console.terminal.errors import BadInput, Failed
from ledger.vocabulary.commands import Command, EraseSubject, RefundMarketplaceManually
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.sealing import key_number
from ledger.vocabulary.shapes import Actor, Role
from tests.console.ledgers import PROGRAM
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OLD, NEW = b"o" * 32, b"n" * 32
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class Log:
    """What was published, in order, by programs that each have a connection of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.published: list[GivenCommand] = []

    def give(self, *bodies: Command, meanwhile: threading.Event | None = None) -> None:
        """Publish as all doors do; between sealing and publishing, wait for `meanwhile`."""
        with psycopg.connect(self._url, autocommit=True) as own, door(own)(given(*bodies)) as done:
            if meanwhile is not None:
                assert meanwhile.wait(60)
            self.published += done

    def numbers(self) -> list[int]:
        """The key of each text; of each erasure its number, negative."""
        return [number_of(each.body) for each in self.published]


def number_of(body: Command) -> int:
    if isinstance(body, EraseSubject):
        return -body.key_number
    assert isinstance(body, RefundMarketplaceManually)
    return key_number(body.ticket) or 0


def door(connection: Connection[Any], secret: bytes = OLD) -> Sealing:
    return sealing_with(connection, MasterKey(secret))


def given(*bodies: Command) -> list[GivenCommand]:
    meta = CommandMeta(
        command_id="c-1", account_id="acct-1", actor=Actor(id="s-1", role=Role.SUPPORT)
    )
    return [GivenCommand(meta=meta, body=body) for body in bodies]


def text() -> Command:
    return RefundMarketplaceManually(purchase_id="p-1", ticket="T-1", amount=1, currency="CNY")


def erasure(number: int = 1) -> Command:
    return EraseSubject(key_number=number)


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [(text(), erasure(), [1, -1]), (erasure(), text(), [-1, 2])],
    ids=["a text that was sealed is published first", "a text waits, and gets the next key"],
)
def test_of_a_text_and_an_erasure_the_one_that_began_is_first_in_the_log(
    url: str, connection: Connection[Any], first: Command, second: Command, order: list[int]
) -> None:
    log, go = Log(url), threading.Event()
    AccountKeys(connection, MasterKey(OLD)).newest("acct-1")
    with ThreadPoolExecutor(2) as programs:
        one = programs.submit(log.give, first, meanwhile=go)
        wait_until(lambda: held(connection) == 1, "the first to have the account")
        other = programs.submit(log.give, second)
        wait_until(lambda: connection.execute(WAITS).fetchone() == (1,), "the second to wait")
        assert log.published == []
        go.set()
        one.result(60)
        other.result(60)
    assert log.numbers() == order
    assert held(connection) == 0


def test_two_texts_of_an_account_do_not_wait_for_each_other(
    url: str, connection: Connection[Any]
) -> None:
    log = Log(url)
    with door(connection)(given(text())):
        log.give(text())
    assert log.numbers() == [1]


def test_in_one_file_a_text_after_the_erasure_has_the_next_key(url: str) -> None:
    log = Log(url)
    log.give(text())
    log.give(text(), erasure(), text(), erasure(2), text())
    assert log.numbers() == [1, 1, -1, 2, -2, 3]


def test_a_program_that_dies_leaves_the_account_to_others(
    url: str, connection: Connection[Any]
) -> None:
    AccountKeys(connection, MasterKey(OLD)).newest("acct-1")
    dying = psycopg.connect(url, autocommit=True)
    with door(dying)(given(text())):
        dying.close()
        Log(url).give(erasure())


def test_who_waits_too_long_is_told(url: str, connection: Connection[Any]) -> None:
    AccountKeys(connection, MasterKey(OLD)).newest("acct-1")
    with ExitStack() as held_:
        held_.enter_context(door(connection)(given(text())))
        other = held_.enter_context(psycopg.connect(url, autocommit=True))
        other.execute("SET lock_timeout = '10ms'")
        with pytest.raises(Failed, match="texts of acct-1 are being given or erased"):
            held_.enter_context(door(other)(given(erasure())))


def test_an_erasure_of_a_key_that_was_never_made_is_not_published(
    connection: Connection[Any],
) -> None:
    with (
        pytest.raises(BadInput, match="account acct-1 has no key 7"),
        door(connection)(given(erasure(7))),
    ):
        raise AssertionError
    assert AccountKeys(connection, MasterKey(OLD)).live("acct-1") == ()


def held(connection: Connection[Any]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    assert row is not None
    return int(row[0])


def keys_of_many(connection: Connection[Any], count: int) -> dict[str, bytes]:
    """Accounts, each with a key under the old master key; their secrets."""
    keys = AccountKeys(connection, MasterKey(OLD))
    return {name: keys.newest(name).secret for name in (f"a-{n:04}" for n in range(count))}


def opened(connection: Connection[Any], master: MasterKey, names: Iterator[str]) -> dict[str, Any]:
    keys = AccountKeys(connection, master)
    return {name: key.secret for name in names if (key := keys.one(name, 1))}


def test_all_keys_open_under_the_new_master_key_alone(connection: Connection[Any]) -> None:
    before = keys_of_many(connection, 1_100)
    both = MasterKey(NEW, OLD)
    keys_made_meanwhile = AccountKeys(connection, both).newest("a-new")
    found = next(rewrap(connection, both))
    assert (found.done, found.before) == (1_100, 1)
    assert opened(connection, MasterKey(NEW), iter(before)) == before
    assert AccountKeys(connection, MasterKey(NEW)).one("a-new", 1) == keys_made_meanwhile
    with pytest.raises(Failed, match=f"set {SETTING}"):
        AccountKeys(connection, MasterKey(OLD)).one("a-0000", 1)
    again = next(rewrap(connection, both))
    assert (again.done, again.before) == (0, 1_101)


def test_a_key_that_is_destroyed_meanwhile_is_not_brought_back(
    url: str, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys_of_many(connection, 2)
    both, rewrapped = MasterKey(NEW, OLD), MasterKey.rewrapped

    def destroyed_first(own: MasterKey, bound: bytes, wrapped: bytes) -> bytes | None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("UPDATE secrets.account_keys SET wrapped = NULL, destroyed_at = now()")
        return rewrapped(own, bound, wrapped)

    monkeypatch.setattr(MasterKey, "rewrapped", destroyed_first)
    assert next(rewrap(connection, both)).done == 0
    with pytest.raises(Erased):
        AccountKeys(connection, both).one("a-0000", 1)


def test_killed_in_the_middle_nothing_is_lost_and_the_next_run_does_the_rest(
    url: str, connection: Connection[Any], tmp_path: Path
) -> None:
    before = keys_of_many(connection, 700)
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "REFUNDS_PARTITIONS": "1",
        SETTING: master_file(tmp_path / "new", NEW),
        OTHER: master_file(tmp_path / "old", OLD),
    }
    command = [*PROGRAM, "secrets", "rewrap"]
    with psycopg.connect(url) as other:  # the run waits for this row, in the middle
        other.execute("SELECT FROM secrets.account_keys WHERE account_id = 'a-0350' FOR UPDATE")
        run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: connection.execute(waits).fetchone() == (1,), "the run to come there")
        os.kill(run.pid, signal.SIGKILL)
        assert run.wait(60) == -signal.SIGKILL
    wait_until(lambda: connection.execute(waits).fetchone() == (0,), "the server to see its end")

    both = MasterKey(NEW, OLD)
    assert opened(connection, both, iter(before)) == before
    assert opened(connection, MasterKey(NEW), iter(list(before)[:350]))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert re.search(
        r"^account keys: 3[45]\d wrapped anew, 35\d before, 0 left$", done.stdout, re.MULTILINE
    )
    assert opened(connection, MasterKey(NEW), iter(before)) == before


def master_file(path: Path, secret: bytes) -> str:
    path.write_bytes(b64encode(secret) + b"\n")
    path.chmod(0o600)
    return str(path)

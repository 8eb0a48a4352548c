"""What can go wrong around a command is one sentence with the next step, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.virtual_terminal import Ran, Terminal

NOBODY = {
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/none",
}


def assert_told(ran: Ran, code: int, *parts: str) -> None:
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    for part in parts:
        assert part in ran.err
    assert "secret" not in ran.err


@pytest.mark.parametrize(
    "words",
    [("submit", "-"), ("query", "balances"), ("clock", "show"), ("clock", "advance", "1d")],
    ids=" ".join,
)
def test_without_a_ledger_the_next_step_is_up(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert_told(terminal.run(*words), 1, "no ledger runs in", "start it with 'refundctl up'")


@pytest.mark.parametrize("words", [("submit", "-"), ("query", "balances")], ids=" ".join)
def test_a_database_that_does_not_answer_is_named(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    terminal.use(NOBODY)
    ran = terminal.run(*words)
    assert_told(ran, 1, "the database does not answer", "port 1", "refundctl up", "DATABASE_URL")


def test_a_broker_alone_is_no_ledger(terminal: Terminal) -> None:
    terminal.use({"KAFKA_BOOTSTRAP": "127.0.0.1:1"})
    ran = terminal.run("query", "balances")
    assert_told(ran, 2, "KAFKA_BOOTSTRAP is set but DATABASE_URL is not")


def test_up_does_not_start_beside_a_broker_that_is_named(terminal: Terminal) -> None:
    terminal.use(NOBODY)
    assert_told(terminal.run("up"), 2, "KAFKA_BOOTSTRAP is set", "unset it")


@pytest.mark.parametrize(
    "url",
    [
        "somewhere",
        "postgresql://nobody:secret%zz@127.0.0.1:1/none",
        "postgresql://nobody:too@secret@127.0.0.1:1/none",
        "postgresql:/nobody:secret@127.0.0.1:1/none",
        "host=127.0.0.1 password=too secret",
    ],
)
def test_a_database_url_that_is_none_is_told_and_not_quoted(terminal: Terminal, url: str) -> None:
    terminal.use({**NOBODY, "DATABASE_URL": url})
    assert_told(terminal.run("query", "balances"), 2, "DATABASE_URL cannot be used: write it as")


@pytest.mark.parametrize(
    ("name", "value"),
    [("REFUNDS_PARTITIONS", "many"), ("REFUNDS_PARTITIONS", "0"), ("REFUNDS_LOG_LEVEL", "loud")],
)
def test_a_setting_that_cannot_be_is_named(terminal: Terminal, name: str, value: str) -> None:
    terminal.use({name: value})
    assert_told(terminal.run("status"), 2, f"{name} is {value!r}")


def test_an_unknown_question_is_told_with_the_nearest(terminal: Terminal) -> None:
    ran = terminal.run("query", "recycle_bin")
    assert_told(ran, 2, "there is no query 'recycle_bin'; did you mean 'recycle-bin'?")


@pytest.mark.parametrize("text", ["7", "d", "-7d", "1.5h", "7 d", ""])
def test_a_duration_that_is_none_is_told(terminal: Terminal, text: str) -> None:
    ran = terminal.run("clock", "advance", "--", text)
    assert_told(ran, 2, "is not a duration; write one such as 7d")


def test_an_instant_that_is_none_is_told(terminal: Terminal) -> None:
    ran = terminal.run("clock", "set", "tomorrow")
    assert_told(ran, 2, "not an RFC 3339 instant: 'tomorrow'; write one such as")


def test_logs_of_nothing_are_told(terminal: Terminal) -> None:
    assert_told(terminal.run("logs"), 1, "there are no logs in", "refundctl up")


@pytest.mark.parametrize("words", [("nonsense",), ("simulate",), ("submit", "-", "--bogus")])
def test_a_misspelt_command_line_is_exit_code_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    ran = terminal.run(*words)
    assert ran.code == 2
    assert "Usage: refundctl" in ran.err
    assert "Traceback" not in ran.err


def test_a_stack_that_is_not_there_is_absent(terminal: Terminal) -> None:
    ran = terminal.run("status")
    assert (ran.code, ran.err) == (1, "")
    assert "start it with 'refundctl up'" in ran.out
    assert terminal.run("status", "--json").objects[0]["state"] == "absent"
    assert terminal.run("down").code == 0


def test_every_command_has_help_and_the_program_a_version(terminal: Terminal) -> None:
    listed = terminal.run("--help")
    for name in ("up", "down", "status", "logs", "simulate", "submit", "query", "clock", "demo"):
        assert f"\n  {name} " in listed.out
        assert terminal.run(name, "--help").code == 0
    assert terminal.run("--version").out.startswith("refundctl 0.")


def test_ctrl_c_ends_a_command_with_130_and_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "console.main", "simulate", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with pipe.open("wb"):  # returns once the command has opened its end, and now reads
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def in_a_shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m console.main simulate examples/01-five-days.jsonl | head -n 1"
    ran = in_a_shell(command)
    assert ran.returncode == 0
    assert ran.stdout.count("\n") == 1
    assert ran.stderr == ""


def test_a_home_that_is_a_file_is_told(terminal: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "notes.txt"
    home.write_text("")
    terminal.use({"REFUNDS_HOME": str(home)})
    for words in (("status",), ("up",), ("query", "balances"), ("origins", "start")):
        assert_told(terminal.run(*words), 1, str(home), "Not a directory", "REFUNDS_HOME")


def test_an_output_on_a_full_disk_is_told() -> None:
    command = f"{sys.executable} -m console.main simulate examples/01-five-days.jsonl > /dev/full"
    ran = in_a_shell(command)
    assert_told(Ran(code=ran.returncode, out="", err=ran.stderr), 1, "No space left", "make room")


def test_what_does_not_exist_is_one_sentence(terminal: Terminal) -> None:
    assert_told(terminal.run("rules", "zz"), 2, "there is no rule 'zz'; see all with")
    assert_told(terminal.run("audit", "verify", "--check", "zz"), 2, "no check 'zz'; there are: ")


def test_a_locale_without_the_characters_is_no_error(tmp_path: Path) -> None:
    line = (
        '{"at": "2027-09-01T02:00:00Z", "command": "OpenAccount", "id": "c-1", '
        '"account": "acct-1", "actor": {"id": "zoë王", "role": "BILLING"}, '
        '"body": {"account_type": "ONLINE", "us_government": false, "currency": "CNY"}}'
    )
    file = tmp_path / "commands.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    for words, shown in (
        (["simulate", str(file), "--pretty"], "AccountOpened"),
        (["explain", "c-1", "--file", str(file)], "zoë\\u738b"),
        (["explain", "c-1", "--file", str(file), "--json"], "zo\\u00eb\\u738b"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "console.main", *words],
            env={**os.environ, "PYTHONIOENCODING": "iso-8859-1"},
            capture_output=True,
            check=False,
            encoding="iso-8859-1",
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert shown in ran.stdout


def test_a_password_is_not_asked_for_without_a_terminal() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "console.main", "people", "add", "anna", "--role", "support"],
        capture_output=True,
        check=False,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert_told(Ran(code=ran.returncode, out="", err=ran.stderr), 2, "terminal", "--password-file")

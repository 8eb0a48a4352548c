"""`--help` lists each command under its heading with a whole sentence; a shell completes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from console.main import app
from console.terminal.help import ASK, GIVE, MEND, PROVE, RUN
from tests.console.virtual_terminal import Terminal

COLUMNS = 80


def groups() -> dict[str, TyperGroup]:
    """`refundctl` and those of its commands that have commands of their own."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    inner = {name: each for name, each in root.commands.items() if isinstance(each, TyperGroup)}
    return {"": root, **{name: each for name, each in inner.items() if not each.hidden}}


@pytest.mark.parametrize("group", groups())
def test_no_sentence_is_cut_and_each_takes_one_line(terminal: Terminal, group: str) -> None:
    terminal.use({"COLUMNS": str(COLUMNS)})
    printed = terminal.run(*filter(None, (group, "--help"))).out
    _, _, lists = printed.partition("Show this message and exit.")
    assert "..." not in lists
    for name, command in groups()[group].commands.items():
        if not command.hidden:
            (line,) = [each for each in printed.splitlines() if each.startswith(f"  {name} ")]
            assert line.endswith("."), line
            assert len(line) <= COLUMNS, line


def test_every_command_stands_under_one_of_the_headings(terminal: Terminal) -> None:
    printed = terminal.run("--help").out
    headings = [line for line in printed.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == ["Options:", *(f"{heading}:" for heading in (RUN, GIVE, ASK, PROVE, MEND))]


@pytest.mark.parametrize(
    ("words", "expected"), [("refundctl re", "rebuild"), ("refundctl dlq re", "redrive")]
)
def test_bash_completes_the_names_of_commands(words: str, expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console.main"],
        env={
            **os.environ,
            "_REFUNDCTL_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        cwd=Path.cwd(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert expected in done.stdout.split(), done.stderr


def test_what_only_some_commands_need_is_not_imported_before_they_run() -> None:
    asked = "import sys; import console.main; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "typer" in imported
    late = {"cryptography", "fastapi", "fastavro", "kafka", "psycopg", "pydantic", "rich"}
    assert imported & late == set()

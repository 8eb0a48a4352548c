"""A backup that fails: the stack runs again, and nothing is left that looks like a backup."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

SCRIPTS = ROOT / "deploy" / "backup"


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A home with files, and programs that note how they were called, in place of a stack."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home" / "kafka").mkdir(parents=True)
    (tmp_path / "calls").touch()
    program(tmp_path / "bin", "pg_dump", "exit 0")
    program(tmp_path / "bin", "pg_restore", "exit 0")
    program(
        tmp_path / "bin",
        "refundctl",
        f'echo "$@" >> {tmp_path}/calls; echo "running, a sandbox: /home"',
    )
    return {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "REFUNDS_HOME": str(tmp_path / "home"),
        "DATABASE_URL": "postgresql://db.example/ledger",
    }


def ran(machine: dict[str, str], script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [SCRIPTS / script, folder]
    return subprocess.run(words, env=machine, capture_output=True, text=True, check=False)


def test_a_sandbox_is_started_again_as_one(tmp_path: Path, machine: dict[str, str]) -> None:
    assert ran(machine, "take", tmp_path / "backup").returncode == 0
    assert (tmp_path / "calls").read_text() == "status\ndown\nup --sandbox\n"


def test_a_copy_that_fails_leaves_the_stack_running_and_no_folder(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    program(tmp_path / "bin", "cp", "exit 1")
    done = ran(machine, "take", tmp_path / "backup")
    assert done.returncode == 1
    assert "there is no backup" in done.stderr
    assert not (tmp_path / "backup").exists()
    assert (tmp_path / "calls").read_text().splitlines()[-1] == "up --sandbox"


def test_a_database_that_is_not_dumped_stops_nothing_and_leaves_no_folder(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    program(tmp_path / "bin", "pg_dump", "exit 1")
    assert ran(machine, "take", tmp_path / "backup").returncode == 1
    del machine["DATABASE_URL"]
    assert "DATABASE_URL names its database" in ran(machine, "take", tmp_path / "backup").stderr
    assert not (tmp_path / "backup").exists()
    assert (tmp_path / "calls").read_text() == ""


def test_a_backup_that_is_there_is_never_removed(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "database").touch()
    assert ran(machine, "take", tmp_path / "backup").returncode == 1
    assert (tmp_path / "backup" / "database").exists()


def test_what_cannot_be_restored_leaves_no_home(tmp_path: Path, machine: dict[str, str]) -> None:
    machine["REFUNDS_HOME"] = str(tmp_path / "new")
    (tmp_path / "backup").mkdir()
    assert "is no backup" in ran(machine, "restore", tmp_path / "backup").stderr
    (tmp_path / "backup" / "database").touch()
    program(tmp_path / "bin", "pg_restore", "exit 1")
    assert "nothing is restored" in ran(machine, "restore", tmp_path / "backup").stderr
    assert not (tmp_path / "new").exists()

    program(tmp_path / "bin", "pg_restore", "exit 0")
    assert ran(machine, "restore", tmp_path / "backup").returncode == 0
    assert (tmp_path / "calls").read_text() == "status\nup --sandbox\n"

"""An interrupted torture leaves nothing running and nothing mounted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devstack import State, status
from tests.house.tree import ROOT
from tests.torture.arena import wait_until


def processes_of(folder: Path) -> list[str]:
    """Whatever runs in a home below that folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.environ().values()):
                found.append(f"{process.pid} {process.name()}")
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.integration
def test_an_interrupted_torture_leaves_nothing_behind(tmp_path: Path) -> None:
    torture = subprocess.Popen(
        [sys.executable, "-m", "tests.torture"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "CELLS": "decider/kill"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_up(tmp_path), "the arena to be up")
        assert len(processes_of(tmp_path)) > 6
    finally:
        torture.send_signal(signal.SIGINT)
        status_code = torture.wait(120)
    assert status_code != 0
    assert processes_of(tmp_path) == []
    assert [
        each for each in psutil.disk_partitions(all=True) if str(tmp_path) in each.mountpoint
    ] == []
    assert [each.name for each in tmp_path.iterdir() if "logs" not in each.name] == []


def is_up(folder: Path) -> bool:
    homes = [each for each in folder.glob("refunds-torture-*") if each.is_dir()]
    return any(status(home).state is State.RUNNING for home in homes)

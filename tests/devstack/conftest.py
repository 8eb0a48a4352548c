"""What the tests of the stack share: small apps to run, and waiting for what will come true."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import Plan, ProcessSpec, Status, destroy, status, up
from devstack.system.process_identity import Identity

READY_AND_WAIT = (
    "import os, pathlib, signal; "
    "pathlib.Path(os.environ['REFUNDS_READY_FILE']).touch(); "
    "signal.pause()"
)


def python(code: str, name: str = "app") -> ProcessSpec:
    """An app process that runs this code."""
    argv = (sys.executable, "-c", code)
    return ProcessSpec(name=name, argv=argv, port_variable="SERVED_PORT")


def identity_in(seen: Status, name: str) -> Identity:
    """Who runs under that name in the stack."""
    (found,) = (process.identity for process in seen.processes if process.name == name)
    assert found is not None, f"{name} does not run"
    return found


def everyone_in(seen: Status) -> list[Identity]:
    """The supervisor and all it runs."""
    processes = [process.identity for process in seen.processes]
    return [identity for identity in (seen.supervisor, *processes) if identity]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty home; whatever runs in it is ended and deleted after the test."""
    folder = tmp_path / "home"
    yield folder
    destroy(folder)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Status]]:
    """A running stack with one app, shared by the tests of a module: how it stands now."""
    folder = tmp_path_factory.mktemp("stack") / "home"
    try:
        up(folder, Plan(processes=(python(READY_AND_WAIT),), durable=False))
        yield lambda: status(folder)
    finally:
        destroy(folder)

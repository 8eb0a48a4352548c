"""`refundctl` in processes of their own, each forked from one that has imported everything.

A start from nothing imports a thousand modules, which takes longer than most of what tests ask of
it. The tests of whole stacks, of the image and of `demo` start every process from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import NamedTuple

from console.main import main

IMPORTED = (
    "tests.console.forked",
    "console.monitoring.looks_of",
    "console.monitoring.monitor",
    "console.running.decider_snapshots",
    "console.running.kafka_access",
    "console.running.origins.own_signature",
    "console.running.periodic_reconciliation",
    "console.running.settings",
    "console.running.terms_files",
    "console.terminal.log_output",
    "consumers.deadlines.keeper",
    "consumers.deciding.decider",
    "consumers.reacting.reactor",
    "consumers.runner",
    "ledger.log.kafka",
    "projector.runner",
)
"""What `init` and the processes import; a module that is missing here is imported by each."""

LONGEST_SECONDS = 300.0
_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(list(IMPORTED))


class Forked:
    """A command that runs; it can be ended and waited for as a `Popen`. If the tests are killed, it
    is told to stop.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *said: Path,
        folder: Path | None = None,
        module: str | None = None,
    ) -> None:
        """In that environment alone. What it says is added to the files: one for all, or one for
        stdout and one for stderr.
        """
        told = _Told(
            words=list(words),
            environment=dict(environment),
            out=said[0],
            err=said[-1],
            folder=folder or Path.cwd(),
            module=module,
        )
        self._process = _FORKED.Process(target=_run, args=(told,))
        self._process.start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process.pid is not None
        return self._process.pid

    def terminate(self) -> None:
        """Tell it to stop."""
        self._process.terminate()

    def wait(self, timeout: float) -> int:
        """Its exit code, once it has ended."""
        self._process.join(timeout)
        code = self._process.exitcode
        assert code is not None, f"still running after {timeout} seconds"
        self._process.close()
        return code


def refundctl(
    words: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in the environment of the tests changed by that one."""
    return _ended(words, {**os.environ, **environment}, folder)


def program(module: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a module as `python -m` does, to its end, in the environment of the tests."""
    return _ended(words, os.environ, module=module)


def _ended(
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    module: str | None = None,
) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as spare:
        out, err = Path(spare) / "out", Path(spare) / "err"
        running = Forked(words, environment, out, err, folder=folder, module=module)
        code = running.wait(LONGEST_SECONDS)
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


class _Told(NamedTuple):
    """What a forked process is to do."""

    words: list[str]
    environment: dict[str, str]
    out: Path
    err: Path
    folder: Path
    module: str | None


def _run(told: _Told) -> None:
    Thread(target=_end_with_the_tests, daemon=True).start()
    os.environ.clear()
    os.environ.update(told.environment)
    os.chdir(told.folder)
    for path, stream in ((told.out, 1), (told.err, 2)):
        with path.open("ab") as written:
            os.dup2(written.fileno(), stream)
    if told.module is None:
        main(told.words)
    else:
        sys.argv = [told.module, *told.words]
        runpy.run_module(told.module, run_name="__main__", alter_sys=True)


def _end_with_the_tests() -> None:
    tests = multiprocessing.parent_process()
    assert tests is not None
    tests.join()
    os.kill(os.getpid(), signal.SIGTERM)

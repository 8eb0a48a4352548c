"""The identity of a process: its pid and its start time, because a pid can be reused.

`psutil`, of the extra `embedded`, is imported where a process is looked at: certificates and the
status of a stack can be read without it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import psutil

HOME_MARK = "REFUNDS_SUPERVISED_HOME"
"""Set to the stack's home in the environment of every process that a supervisor starts."""

POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 32 * 1024 * 1024
SAME_BIRTH_SECONDS = 2.0
"""A start time is relative to the boot time, which can differ by a second between two readings."""


class Identity(Struct, frozen=True, kw_only=True):
    """A process that runs or has run. `born` is its start time in seconds since 1970."""

    pid: int
    born: float


class Account(Struct, frozen=True, kw_only=True):
    """The unprivileged user for a process that must not run as root."""

    name: str
    uid: int
    gid: int


def identity_of(pid: int) -> Identity | None:
    """The identity of a running process; None if no process has this pid."""
    import psutil

    try:
        return Identity(pid=pid, born=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def myself() -> Identity:
    """The identity of this process."""
    import psutil

    return Identity(pid=os.getpid(), born=psutil.Process().create_time())


def alive(identity: Identity | None) -> bool:
    """Whether this same process still runs; a zombie does not."""
    return _process(identity) is not None


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    cwd: Path,
    account: Account | None,
    told: bytes = b"",
) -> subprocess.Popen[bytes]:
    """Start a process in a new session; both outputs are appended to `log`. It reads `told`, which
    has to fit into a pipe.
    """
    _rotate(log)
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE if told else subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(told)
    return process


def end(identity: Identity | None, signals: Iterable[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn and wait its seconds; returns True when the process has ended.

    The process is polled: it need not be our child, and a zombie counts as ended.
    """
    import psutil

    for sign, seconds in signals:
        process = _process(identity)
        if process is None:
            return True
        try:
            process.send_signal(sign)
        except psutil.NoSuchProcess:
            return True
        deadline = time.monotonic() + seconds
        while alive(identity) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    return not alive(identity)


def kill_session(leader: Identity | None) -> None:
    """Kill the remaining processes of a session, whether its leader still runs or not."""
    if leader is None:
        return
    import psutil

    for process in psutil.process_iter():
        try:
            if (
                os.getsid(process.pid) == leader.pid
                and process.create_time() >= leader.born - SAME_BIRTH_SECONDS
            ):
                process.kill()
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue


def marked(home: Path) -> list[Identity]:
    """Every running process that a supervisor of this home started, and their children."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_MARK) == str(home) and process.pid != os.getpid():
                found.append(Identity(pid=process.pid, born=process.create_time()))
        except (psutil.Error, OSError):
            continue
    return found


def _process(identity: Identity | None) -> psutil.Process | None:
    if identity is None:
        return None
    import psutil

    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.born) < SAME_BIRTH_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))

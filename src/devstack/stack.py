"""Starts and stops a stack and reads its status; the functions that a command line calls."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from devstack.errors import DevstackError
from devstack.kafka import broker
from devstack.kafka.jar_lock import locked_jars
from devstack.kafka.jars import cache_folder, classpath
from devstack.kafka.java import find_java
from devstack.postgres import database
from devstack.postgres.passwords import kept_apart
from devstack.status import (
    PLAN_CHANGED,
    Launch,
    Layout,
    Plan,
    ProcessSpec,
    ProcessState,
    ProcessStatus,
    State,
    Status,
    read_launch,
    read_status,
    write_json,
)
from devstack.supervising.blueprint import APP_STOP, BROKER_STOP, DATABASE_STOP, KILL, TERM
from devstack.system.process_identity import (
    HOME_MARK,
    Identity,
    alive,
    end,
    identity_of,
    kill_session,
    marked,
)

if TYPE_CHECKING:
    from rich.console import Console

POLL_SECONDS = 0.05
UP_SECONDS, DOWN_SECONDS, READY_SECONDS = 400.0, 90.0, 120.0
LIVE = (State.STARTING, State.RUNNING, State.DEGRADED, State.STOPPING)


def home_folder(env: Mapping[str, str] = os.environ) -> Path:
    """`REFUNDS_HOME`, or by default `.refunds` in the current folder."""
    return Path(env.get("REFUNDS_HOME") or ".refunds").expanduser().resolve()


def up(home: Path, plan: Plan, console: Console | None = None) -> Status:
    """Run the plan in the home; returns when every process is ready.

    If a stack already runs, it is not changed, even if the plan is different, and its status is
    returned. Processes that an interrupted run left are ended first. If this call is interrupted
    (Ctrl-C) or fails, nothing is left running. Raises DevstackError if the stack does not start.
    """
    home = home.resolve()
    layout = Layout(home=home)
    _create(layout)
    with _one_at_a_time(layout):
        found = status(home)
        if found.state in (State.RUNNING, State.DEGRADED):
            return found
        last = down(home)
        if plan.database_url is not None:
            url = kept_apart(plan.database_url, layout.database_password)
            plan = replace(plan, database_url=url)
        write_json(layout.launch, _launch(plan, last, console))
        # From here on `down` finds the processes: in the status, or by their environment.
        write_json(layout.status, replace(last, state=State.STARTING, message=None))
        try:
            return _wait_until_up(layout, _start_supervisor(layout))
        except BaseException:
            down(home)
            raise


def down(home: Path) -> Status:
    """Stop all processes of the home, in order; the data stays. No error if nothing runs."""
    home = home.resolve()
    layout = Layout(home=home)
    last = read_status(home)
    if last is None:
        return Status(state=State.ABSENT, home=home)
    if alive(last.supervisor):
        end(last.supervisor, ((TERM, DOWN_SECONDS), (KILL, 5.0)))
    last = read_status(home) or last
    if last.state in (State.STOPPED, State.FAILED):
        return last
    _end_orphans(home, last)
    stopped = replace(
        last,
        state=State.STOPPED,
        supervisor=None,
        processes=tuple(
            replace(process, state=ProcessState.STOPPED, identity=None)
            for process in last.processes
        ),
    )
    write_json(layout.status, stopped)
    return stopped


def follow_plan(home: Path, processes: Sequence[ProcessSpec], metadata: dict[str, str]) -> Status:
    """Replace the apps of a running stack by these, and return when each is ready.

    New apps are started, removed apps are ended, all others continue; broker and database are not
    changed. Raises DevstackError if nothing runs or an app does not become ready; the stack then
    continues to try, as with every app.
    """
    home = home.resolve()
    layout = Layout(home=home)
    _create(layout)
    with _one_at_a_time(layout):
        seen, launch = status(home), read_launch(home)
        if seen.state not in (State.RUNNING, State.DEGRADED) or launch is None:
            raise DevstackError(f"no stack runs in {home} ({seen.state}); start it with `up`.")
        assert seen.supervisor is not None
        plan = replace(launch.plan, processes=tuple(processes), metadata=metadata)
        write_json(layout.launch, replace(launch, plan=plan))
        os.kill(seen.supervisor.pid, PLAN_CHANGED)
        return _wait_until_followed(home, plan)


def status(home: Path) -> Status:
    """The status that the supervisor wrote last, compared with the processes that really run."""
    home = home.resolve()
    last = read_status(home)
    if last is None:
        return Status(state=State.ABSENT, home=home)
    if last.state not in LIVE or alive(last.supervisor):
        return last
    left = tuple(process for process in last.processes if alive(process.identity))
    if left:
        names = ", ".join(process.name for process in left)
        gone = f"the supervisor has ended; still running: {names}. `down` ends them."
        return replace(last, state=State.ORPHANED, message=gone)
    gone = "the supervisor ended without stopping the stack; `up` starts it again."
    return replace(last, state=State.STOPPED, message=gone, supervisor=None)


def destroy(home: Path) -> None:
    """Stop the stack and delete the home with all its data, also the data in other folders."""
    home = home.resolve()
    down(home)
    database.remove(Layout(home=home).postgres)
    shutil.rmtree(home, ignore_errors=True)


def _create(layout: Layout) -> None:
    advice = "Set REFUNDS_HOME to a folder that can be written."
    try:
        layout.create()
    except OSError as error:
        raise DevstackError(f"cannot make {error.filename}: {error.strerror}. {advice}") from error
    if not os.access(layout.home, os.W_OK):
        raise DevstackError(f"cannot write in {layout.home}: it belongs to another user. {advice}")


@contextmanager
def _one_at_a_time(layout: Layout) -> Iterator[None]:
    with (layout.home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _launch(plan: Plan, last: Status, console: Console | None) -> Launch:
    mirror, cache = os.environ.get("REFUNDS_MAVEN_MIRROR"), cache_folder()
    java, jars = find_java(), classpath(locked_jars(), cache, mirror, console)
    return Launch(
        plan=plan,
        last_ports={p.name: p.port for p in last.processes if p.port},
        java=java,
        classpath=jars,
        archive=broker.archive_path(cache, java, jars),
    )


def _start_supervisor(layout: Layout) -> Identity | None:
    """Start the supervisor, detached; None if it has already ended."""
    with layout.log("supervisor").open("ab") as log:
        launcher = subprocess.run(
            [sys.executable, "-m", "devstack", str(layout.home)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env={**os.environ, HOME_MARK: str(layout.home)},
            check=True,
        )
    return identity_of(int(launcher.stdout))


def _wait_until_up(layout: Layout, supervisor: Identity | None) -> Status:
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline:
        ended = not alive(supervisor)
        seen = read_status(layout.home)
        ours = seen and seen.supervisor and supervisor and seen.supervisor.pid == supervisor.pid
        if seen and ours and seen.state in (State.RUNNING, State.DEGRADED):
            return seen
        if ended:
            raise DevstackError(_why(seen, layout))
        time.sleep(POLL_SECONDS)
    raise DevstackError(f"the stack was not up after {UP_SECONDS:.0f} seconds: see {layout.logs}.")


def _wait_until_followed(home: Path, plan: Plan) -> Status:
    deadline = time.monotonic() + READY_SECONDS
    wanted = {spec.name for spec in plan.processes}
    while time.monotonic() < deadline:
        seen = status(home)
        apps = {process.name for process in seen.processes if not process.service}
        if seen.state is State.RUNNING and apps == wanted and seen.metadata == plan.metadata:
            return seen
        time.sleep(POLL_SECONDS)
    late = [p.name for p in seen.processes if p.state is not ProcessState.READY]
    raise DevstackError(
        f"not ready after {READY_SECONDS:.0f} seconds: {', '.join(late)}; see their logs in "
        f"{Layout(home=home).logs}."
    )


def _why(seen: Status | None, layout: Layout) -> str:
    if seen and seen.state is State.FAILED and seen.message:
        return seen.message
    if seen and seen.state is State.STOPPED:
        return "the stack was stopped while it was starting."
    return f"the supervisor ended unexpectedly: see {layout.log('supervisor')}."


def _end_orphans(home: Path, last: Status) -> None:
    """Apps, broker, database: first those in the status, then any others that are marked."""
    for process in reversed(last.processes):
        end(process.identity, _stop_signals(process))
        kill_session(process.identity)
    for identity in marked(home):
        end(identity, DATABASE_STOP)
        kill_session(identity)


def _stop_signals(process: ProcessStatus) -> Sequence[tuple[signal.Signals, float]]:
    if process.name == database.NAME:
        return DATABASE_STOP
    return BROKER_STOP if broker.is_name(process.name) else APP_STOP

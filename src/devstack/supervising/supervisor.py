"""The supervisor process: starts the services, keeps the apps running, stops all in order."""

from __future__ import annotations

import fcntl
import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from devstack.errors import DevstackError
from devstack.kafka import broker, security
from devstack.kafka.rotation import add_users
from devstack.postgres import database
from devstack.postgres import security as database_security
from devstack.postgres.database import Database
from devstack.status import (
    PLAN_CHANGED,
    Launch,
    Layout,
    ProcessState,
    ProcessStatus,
    State,
    Status,
    read_launch,
    write_json,
)
from devstack.supervising.blueprint import (
    Blueprint,
    app_ports,
    app_recipe,
    broker_recipe,
    database_env,
    database_recipes,
    draw,
)
from devstack.supervising.logs import last_lines
from devstack.supervising.watched_process import Recipe, Watched
from devstack.system.process_identity import (
    Account,
    alive,
    identity_of,
    kill_session,
    myself,
    spawn,
)

LOG = logging.getLogger("supervisor")
TICK_SECONDS = 0.05
OWNER_CHECK_TICKS = 20
FORMAT_SECONDS, BOOT_SECONDS, PREPARE_SECONDS, READY_SECONDS = 90.0, 90.0, 180.0, 90.0


class Stopped(Exception):
    """A stop was requested while the stack was starting."""


class Errand(Struct, frozen=True, kw_only=True):
    """A command that runs to its end before the stack continues."""

    what: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    log: Path
    account: Account | None = None
    told: bytes = b""


class Supervisor:
    """Runs one plan in one home, on one thread."""

    def __init__(self, layout: Layout, launch: Launch) -> None:
        self._layout = layout
        self._launch = launch
        self._plan = launch.plan
        self._stop = threading.Event()
        self._plan_changed = threading.Event()
        self._watched: list[Watched] = []
        self._ticks = 0
        self._status = Status(
            state=State.STARTING,
            home=layout.home,
            supervisor=myself(),
            started_at=time.time_ns() // 1000,
            metadata=launch.plan.metadata,
        )

    def run(self) -> int:
        """Start the stack, watch it until a stop is requested, stop it. Returns the exit code."""
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, lambda *_: self._stop.set())
        signal.signal(PLAN_CHANGED, lambda *_: self._plan_changed.set())
        try:
            drawn = self._bring_up()
            while True:
                self._tick()
                if self._plan_changed.is_set():
                    self._plan_changed.clear()
                    self._follow_plan(drawn)
        except Stopped:
            self._take_down(State.STOPPED, None)
            return 0
        except DevstackError as error:
            self._take_down(State.FAILED, str(error))
            return 1
        except BaseException as error:
            self._take_down(State.FAILED, f"the supervisor failed: {error!r}; see its log.")
            raise

    def _bring_up(self) -> Blueprint:
        """1. new data folders, 2. services, with their users where they are secured, 3. the
        caller's preparations, 4. the apps.
        """
        self._publish()
        drawn = draw(self._layout, self._launch)
        self._publish(bootstrap=drawn.bootstrap, database_url=drawn.database_url, notes=drawn.notes)
        principals = self._plan.principals
        if principals:
            own = ",".join(node.internal for node in drawn.brokers)
            security.prepare(self._layout.security, principals, own)
        if self._plan.roles:
            database_security.prepare(self._layout.security, self._plan.roles)
        self._format(drawn)
        recipes = [broker_recipe(node, self._layout) for node in drawn.brokers]
        if drawn.database is not None:
            recipes = [*database_recipes(drawn.database, self._layout), *recipes]
        self._start([self._watch(recipe) for recipe in recipes], BOOT_SECONDS)
        if principals:
            add_users(self._layout.security, principals)
        for argv in self._plan.prepare:
            self._run([self._preparation(argv, drawn)], PREPARE_SECONDS)
        specs = self._plan.processes
        ports = app_ports(specs, self._launch.last_ports)
        apps = [app_recipe(spec, drawn, self._layout, ports) for spec in specs]
        self._start([self._watch(recipe) for recipe in apps], READY_SECONDS)
        self._publish(state=State.RUNNING)
        LOG.info("running at %s and its database", drawn.bootstrap)
        return drawn

    def _follow_plan(self, drawn: Blueprint) -> None:
        """1. Read the new plan. 2. End the apps that it does not have. 3. Start its new ones.

        All others continue. If the supervisor dies in between, the next one runs the new plan.
        """
        launch = read_launch(self._layout.home)
        assert launch is not None
        self._plan = launch.plan
        wanted = {spec.name: spec for spec in self._plan.processes}
        gone = [w for w in self._watched if not w.recipe.service and w.recipe.name not in wanted]
        for watched in gone:
            watched.stop()
            self._watched.remove(watched)
            self._publish()
        running = {watched.recipe.name for watched in self._watched}
        added = [spec for name, spec in wanted.items() if name not in running]
        ports = app_ports(added, self._launch.last_ports)
        for spec in added:
            watched = self._watch(app_recipe(spec, drawn, self._layout, ports))
            self._watched.append(watched)
            watched.start()
        LOG.info("runs %s", ", ".join(wanted))
        self._publish(metadata=self._plan.metadata)

    def _watch(self, recipe: Recipe) -> Watched:
        return Watched(recipe, self._plan.longest_pause_seconds)

    def _format(self, drawn: Blueprint) -> None:
        """All in parallel: each spends most of its time waiting."""
        server, errands = drawn.database, []
        for node in drawn.brokers:
            node.configure()
            if node.format_argv:
                errands.append(
                    Errand(
                        what=f"creating the storage of {node.name}",
                        argv=node.format_argv,
                        env=drawn.app_env,
                        folder=node.folder,
                        log=self._layout.log(node.name),
                    )
                )
        if server and server.format_argv:
            server.configure()
            errands.append(
                Errand(
                    what="creating the database's data folder",
                    argv=server.format_argv,
                    env=database_env(),
                    folder=server.folder,
                    log=self._layout.log(database.NAME),
                    account=server.account,
                )
            )
        self._run(errands, FORMAT_SECONDS)
        if server:
            server.formatted()
            if server.security:
                self._run([self._users(server, server.security)], FORMAT_SECONDS)

    def _users(self, server: Database, folder: Path) -> Errand:
        return Errand(
            what="making the database's users",
            argv=server.alone_argv,
            env=database_env(),
            folder=server.folder,
            log=self._layout.log(database.NAME),
            account=server.account,
            told=database_security.users_sql(folder, self._plan.roles),
        )

    def _preparation(self, argv: tuple[str, ...], drawn: Blueprint) -> Errand:
        return Errand(
            what=f"preparing ({' '.join(argv)})",
            argv=argv,
            env=drawn.prepare_env,
            folder=Path.cwd(),
            log=self._layout.log("prepare"),
        )

    def _run(self, errands: Sequence[Errand], seconds: float) -> None:
        """Run the errands in parallel; DevstackError with the last log line if one fails."""
        running = [(errand, self._send(errand)) for errand in errands]
        deadline = time.monotonic() + seconds
        try:
            while any(process.poll() is None for _, process in running):
                self._tick()
                if time.monotonic() > deadline:
                    raise DevstackError(f"{errands[0].what} took more than {seconds:.0f} seconds.")
        finally:
            for _, process in running:
                kill_session(identity_of(process.pid))
                process.wait()
        for errand, process in running:
            if process.returncode:
                raise DevstackError(
                    f"{errand.what} failed with exit code {process.returncode}: "
                    + _last_words(errand.log)
                )

    def _send(self, errand: Errand) -> subprocess.Popen[bytes]:
        return spawn(
            errand.argv, errand.env, errand.log, errand.folder, errand.account, errand.told
        )

    def _start(self, group: Sequence[Watched], seconds: float) -> None:
        """Start them together and wait until each is ready; DevstackError if one is not."""
        for watched in group:
            self._watched.append(watched)
            watched.start()
        self._publish()
        deadline = time.monotonic() + seconds
        while any(watched.state is not ProcessState.READY for watched in group):
            self._tick()
            for watched in group:
                late = time.monotonic() > deadline and watched.state is not ProcessState.READY
                if watched.given_up or late:
                    raise DevstackError(_never_ready(watched, seconds))

    def _tick(self) -> None:
        """Check everything once; raises Stopped if a stop was requested."""
        before = [watched.status() for watched in self._watched]
        for watched in self._watched:
            watched.tick()
        changed = [
            watched.status()
            for watched, seen in zip(self._watched, before, strict=True)
            if watched.status() != seen
        ]
        for now in changed:
            LOG.info("%s is %s; restarts %d, last exit %s", *_told(now))
        if changed:
            self._publish()
        self._ticks += 1
        owner = self._plan.owner
        if owner and self._ticks % OWNER_CHECK_TICKS == 0 and not alive(owner):
            raise Stopped
        if self._stop.wait(TICK_SECONDS):
            raise Stopped

    def _publish(self, **changes: object) -> None:
        """Write the status; a running stack with a missing process is degraded."""
        self._status = replace(self._status, **changes)
        seen = replace(self._status, processes=tuple(w.status() for w in self._watched))
        if seen.state is State.RUNNING and any(
            process.state is not ProcessState.READY for process in seen.processes
        ):
            seen = replace(seen, state=State.DEGRADED)
        write_json(self._layout.status, seen)

    def _take_down(self, state: State, message: str | None) -> None:
        """Apps first, the last started first; then the broker, then the database."""
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        LOG.info("stopping; %s", message or "as requested")
        self._publish(state=State.STOPPING, message=message)
        for watched in reversed(self._watched):
            if watched.recipe.stops_with_others:
                watched.ask_to_stop()
        for watched in reversed(self._watched):
            watched.stop()
            self._publish()
        self._publish(state=state, supervisor=None)


def supervise(home: Path) -> int:
    """Run the plan in the home; returns 0 immediately if another supervisor already runs it."""
    layout = Layout(home=home)
    launch = read_launch(home)
    if launch is None:
        raise DevstackError(f"there is no plan in {home}: start the stack with `up`.")
    broker.quiet_client()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with (home / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        return Supervisor(layout, launch).run()


def _told(process: ProcessStatus) -> tuple[str, str, int, int | None]:
    return process.name, process.state.value, process.restarts, process.last_exit


def _never_ready(watched: Watched, seconds: float) -> str:
    name, log = watched.recipe.name, watched.recipe.log
    if watched.given_up:
        what = f"{name} ended {watched.restarts} times while starting"
        what += f" (exit code {watched.last_exit})"
    else:
        what = f"{name} was not ready after {seconds:.0f} seconds"
    return f"{what}: {_last_words(log)}"


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in last_lines(log, 200) if line.strip()]
    quote = lines[-1] if lines else "it wrote nothing"
    return f"{quote} (the whole log: {log})"

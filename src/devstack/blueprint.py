"""Turns a plan into what to run: ports, the two services, and the environment of the apps."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from devstack import broker, database
from devstack.broker import Broker
from devstack.database import Database
from devstack.errors import DevstackError
from devstack.ports import is_free, listens, take_ports
from devstack.status import Launch, Layout, ProcessSpec
from devstack.watched import Recipe

CONTROLLER = f"{broker.NAME} controller"
TERM, INT, QUIT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL
APP_STOP = ((TERM, 10.0), (KILL, 5.0))
BROKER_STOP = ((TERM, 40.0), (KILL, 5.0))
DATABASE_STOP = ((INT, 15.0), (QUIT, 5.0), (KILL, 5.0))
"""Fast shutdown first; SIGQUIT still lets go of shared memory, SIGKILL does not."""


class Blueprint(Struct, frozen=True, kw_only=True):
    """What a plan comes to. `database` is None where the caller brings one."""

    broker: Broker
    database: Database | None
    database_url: str
    notes: tuple[str, ...]
    app_env: dict[str, str]


def draw(layout: Layout, launch: Launch) -> Blueprint:
    """Choose ports and say what runs on them; nothing is started."""
    plan = launch.plan
    ports = take_ports(_wanted_ports(launch))
    node = Broker(
        folder=layout.kafka,
        port=ports[broker.NAME],
        controller_port=ports[CONTROLLER],
        java=launch.java,
        classpath=launch.classpath,
        archive=launch.archive,
        detours=plan.detours,
    )
    if plan.database_url is not None:
        if not database.reachable(plan.database_url):
            shown = database.without_password(plan.database_url)
            raise DevstackError(
                f"no database answers at DATABASE_URL ({shown}): "
                "start it, correct the URL, or unset it to use the embedded one."
            )
        server, note, url = None, None, plan.database_url
    else:
        server, note = database.embedded(layout.postgres, ports[database.NAME], plan.durable)
        url = server.url
    return Blueprint(
        broker=node,
        database=server,
        database_url=url,
        notes=(note,) if note else (),
        app_env={
            **_base_env(),
            "KAFKA_BOOTSTRAP": node.bootstrap,
            "DATABASE_URL": url,
            "REFUNDS_HOME": str(layout.home),
        },
    )


def broker_recipe(node: Broker, layout: Layout) -> Recipe:
    """How the broker is kept."""
    return Recipe(
        name=broker.NAME,
        service=True,
        argv=node.argv,
        env=_base_env(),
        folder=node.folder,
        log=layout.log(broker.NAME),
        is_ready=lambda: listens(node.port) and broker.answers(node.bootstrap),
        after_stop=node.keep_archive,
        port=node.port,
        stop_signals=BROKER_STOP,
    )


def database_recipe(server: Database, layout: Layout) -> Recipe:
    """How the database server is kept."""
    return Recipe(
        name=database.NAME,
        service=True,
        argv=server.argv,
        env=database_env(),
        folder=server.folder,
        log=layout.log(database.NAME),
        is_ready=lambda: listens(server.port) and server.answers(),
        account=server.account,
        port=server.port,
        stop_signals=DATABASE_STOP,
    )


def app_recipe(spec: ProcessSpec, blueprint: Blueprint, layout: Layout) -> Recipe:
    """How an app process is kept."""
    ready = layout.ready / spec.name
    return Recipe(
        name=spec.name,
        service=False,
        argv=spec.argv,
        env={**blueprint.app_env, "REFUNDS_READY_FILE": str(ready), **spec.env},
        folder=Path.cwd(),
        log=layout.log(spec.name),
        is_ready=ready.exists if spec.announces_ready else lambda: True,
        before_start=lambda: ready.unlink(missing_ok=True),
        stop_signals=APP_STOP,
    )


def database_env() -> Mapping[str, str]:
    """Without what would make the server or its tools look elsewhere."""
    kept = {key: text for key, text in _base_env().items() if not key.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _base_env() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _wanted_ports(launch: Launch) -> dict[str, int]:
    plan, again = launch.plan, {n: p for n, p in launch.last_ports.items() if is_free(p)}
    wanted = {broker.NAME: plan.kafka_port or again.get(broker.NAME, 0), CONTROLLER: 0}
    if plan.database_url is None:
        wanted[database.NAME] = plan.database_port or again.get(database.NAME, 0)
    return wanted

"""Computes what a plan runs: ports, the two services, and the environment of the apps."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from devstack.errors import DevstackError
from devstack.kafka import broker, security
from devstack.kafka.broker import Broker
from devstack.postgres import database
from devstack.postgres.database import Database
from devstack.postgres.passwords import without_password
from devstack.status import Launch, Layout, Plan, ProcessSpec
from devstack.supervising.watched_process import Recipe
from devstack.system.ports import is_free, listens, take_ports

TERM, INT, QUIT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL
APP_STOP = ((TERM, 10.0), (KILL, 5.0))
BROKER_STOP = ((TERM, 40.0), (KILL, 5.0))
CLUSTER_STOP = ((TERM, 10.0), (KILL, 5.0))
"""The last brokers of a cluster can wait for a quorum without end; written records are not lost."""
DATABASE_STOP = ((INT, 15.0), (QUIT, 5.0), (KILL, 5.0))
"""Fast shutdown first; SIGQUIT still releases shared memory, SIGKILL does not."""


class Blueprint(Struct, frozen=True, kw_only=True):
    """A plan with ports and services. `database` is None if the caller has one."""

    brokers: tuple[Broker, ...]
    database: Database | None
    database_url: str
    notes: tuple[str, ...]
    app_env: dict[str, str]
    prepare_env: dict[str, str]

    @property
    def bootstrap(self) -> str:
        """The addresses of all brokers."""
        return ",".join(node.bootstrap for node in self.brokers)


def draw(layout: Layout, launch: Launch) -> Blueprint:
    """Choose the ports and the services; nothing is started."""
    plan = launch.plan
    ports = take_ports(_wanted_ports(launch))
    nodes = _nodes(layout, launch, ports)
    if plan.database_url is not None:
        if not database.reachable(plan.database_url):
            shown = without_password(plan.database_url)
            raise DevstackError(
                f"no database answers at DATABASE_URL ({shown}): "
                "start it, correct the URL, or unset it to use the embedded one."
            )
        server, note, url = None, None, plan.database_url
    else:
        server, note = _server(layout, plan, ports)
        url = server.url_of(plan.roles[0]) if plan.roles else server.url
    app_env = {
        **_base_env(),
        "KAFKA_BOOTSTRAP": ",".join(node.bootstrap for node in nodes),
        "DATABASE_URL": url,
        "REFUNDS_HOME": str(layout.home),
    }
    internal = ",".join(node.internal for node in nodes)
    secured = security.administrator_env(layout.security, internal) if plan.principals else {}
    return Blueprint(
        brokers=nodes,
        database=server,
        database_url=url,
        notes=(note,) if note else (),
        app_env=app_env,
        prepare_env={**app_env, **secured, "DATABASE_URL": server.url if server else url},
    )


def _server(layout: Layout, plan: Plan, ports: Mapping[str, int]) -> tuple[Database, str | None]:
    if not plan.roles:
        return database.embedded(layout.postgres, ports[database.NAME], plan.durable)
    return database.embedded(
        layout.postgres,
        ports[_internal(database.NAME)],
        plan.durable,
        layout.security,
        ports[database.GATE],
    )


def _nodes(layout: Layout, launch: Launch, ports: Mapping[str, int]) -> tuple[Broker, ...]:
    """The brokers of one cluster: each has the addresses of all, and the cluster id."""
    names = broker.names(launch.plan.brokers)
    folders = [layout.kafka(name) for name in names]
    cluster_id = broker.cluster_id_in(folders)
    controllers = tuple(ports[_controller(name)] for name in names)
    secured = bool(launch.plan.principals)
    return tuple(
        Broker(
            node_id=number,
            folder=folder,
            port=ports[name],
            controller_ports=controllers,
            cluster_id=cluster_id,
            java=launch.java,
            classpath=launch.classpath,
            archive=launch.archive,
            detours=launch.plan.detours if launch.plan.brokers == 1 else (),
            security=layout.security if secured else None,
            internal_port=ports[_internal(name)] if secured else 0,
        )
        for number, (name, folder) in enumerate(zip(names, folders, strict=True), start=1)
    )


def broker_recipe(node: Broker, layout: Layout) -> Recipe:
    """How a broker is started, checked and stopped."""
    return Recipe(
        name=node.name,
        service=True,
        argv=node.argv,
        env=_base_env(),
        folder=node.folder,
        log=layout.log(node.name),
        is_ready=lambda: listens(node.port) and node.answers(),
        after_stop=node.keep_archive,
        port=node.port,
        stop_signals=BROKER_STOP if node.alone else CLUSTER_STOP,
        stops_with_others=not node.alone,
    )


def database_recipes(server: Database, layout: Layout) -> list[Recipe]:
    """How the database server, and what speaks TLS before it, are started, checked and stopped."""
    if server.security is None:
        return [_server_recipe(server, layout)]
    gate = Recipe(
        name=database.GATE,
        service=True,
        argv=server.gate_argv,
        env=_base_env(),
        folder=Path.cwd(),
        log=layout.log(database.GATE),
        is_ready=lambda: listens(server.gate_port),
        port=server.gate_port,
        stop_signals=APP_STOP,
    )
    return [_server_recipe(server, layout), gate]


def _server_recipe(server: Database, layout: Layout) -> Recipe:
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


def app_ports(specs: Sequence[ProcessSpec], last_ports: Mapping[str, int]) -> dict[str, int]:
    """The ports of those apps that serve something: their own, those of the last start, or free
    ones.
    """
    again = {name: port for name, port in last_ports.items() if is_free(port)}
    serving = [spec for spec in specs if spec.port_variable is not None]
    return take_ports({spec.name: spec.port or again.get(spec.name, 0) for spec in serving})


def app_recipe(
    spec: ProcessSpec, blueprint: Blueprint, layout: Layout, ports: Mapping[str, int]
) -> Recipe:
    """How an app process is started, checked and stopped."""
    ready = layout.ready / spec.name
    port = ports.get(spec.name)
    served = {} if spec.port_variable is None else {spec.port_variable: str(port)}
    if spec.role is not None and blueprint.database is not None:
        served["DATABASE_URL"] = blueprint.database.url_of(spec.role)
    return Recipe(
        name=spec.name,
        service=False,
        argv=spec.argv,
        env={**blueprint.app_env, "REFUNDS_READY_FILE": str(ready), **spec.env, **served},
        folder=Path.cwd(),
        log=layout.log(spec.name),
        is_ready=ready.exists if spec.announces_ready else lambda: True,
        before_start=lambda: ready.unlink(missing_ok=True),
        port=port,
        stop_signals=APP_STOP,
    )


def database_env() -> Mapping[str, str]:
    """The environment without variables that point the server or its tools to another place."""
    kept = {key: text for key, text in _base_env().items() if not key.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _base_env() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


def _wanted_ports(launch: Launch) -> dict[str, int]:
    plan, again = launch.plan, {n: p for n, p in launch.last_ports.items() if is_free(p)}
    names = broker.names(plan.brokers)
    wanted = {name: again.get(name, 0) for name in names} | {_controller(n): 0 for n in names}
    if plan.principals:
        wanted |= {_internal(name): 0 for name in names}
    wanted[broker.NAME] = plan.kafka_port or wanted[broker.NAME]
    if plan.database_url is None:
        name = database.GATE if plan.roles else database.NAME
        wanted[name] = plan.database_port or again.get(name, 0)
        if plan.roles:
            wanted[_internal(database.NAME)] = 0
    return wanted


def _internal(name: str) -> str:
    return f"{name} internal"


def _controller(name: str) -> str:
    return f"{name} controller"

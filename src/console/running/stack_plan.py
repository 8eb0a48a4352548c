"""The plan of a ledger's stack: which processes, how many, with which settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from console.running.ledger_locator import (
    BROKERS,
    DEFAULT_PARTITIONS,
    ORIGINS,
    PARTITIONS,
    SANDBOX,
    SECURED,
    TERMS,
    properties_of,
)
from console.running.process_counts import counts_of, names_of

CONSOLE = "console"
METRICS_PORT, METRICS_OFF = "REFUNDS_METRICS_PORT", "off"

if TYPE_CHECKING:
    from console.running.settings import Settings
    from devstack import Plan, ProcessSpec, Status
    from devstack.system.process_identity import Identity


def ledger_plan(
    settings: Settings,
    seen: Status | None,
    *,
    sandbox: bool,
    brokers: int = 1,
    counts: Mapping[str, int | None] | None = None,
    durable: bool = True,
    owner: Identity | None = None,
    secure: bool = False,
    pages: bool = False,
) -> Plan:
    """What the stack runs. Fixed settings of an existing ledger stay; the number of each process is
    the requested one, or else that of the last start. Once secured it stays so. `pages`: the web
    console too, where its extra is installed.
    """
    from console.running.terms_files import terms_of
    from devstack import Plan

    known = seen.metadata if seen is not None else {}
    partitions = str(settings.partitions or known.get(PARTITIONS) or DEFAULT_PARTITIONS)
    told = {
        "REFUNDS_PARTITIONS": partitions,
        "REFUNDS_SANDBOX": str(int(sandbox)),
        "REFUNDS_REPLICATION": str(brokers),
        "REFUNDS_LOG_JSON": "1",
    }
    metadata = {
        SANDBOX: "yes" if sandbox else "no",
        PARTITIONS: partitions,
        BROKERS: str(brokers),
        **{name: str(n) for name, n in counts_of(known, counts or {}, int(partitions)).items()},
    }
    principals: tuple[str, ...] = ()
    roles: Mapping[str, str] = {}
    if secure or SECURED in known:
        metadata[SECURED] = "yes"
        principals, roles = _secured(settings)
    origins = str(settings.origins_folder) if settings.origins else known.get(ORIGINS)
    if origins is not None:
        told["REFUNDS_ORIGINS"] = metadata[ORIGINS] = origins
    terms = settings.terms_path or known.get(TERMS)
    if terms is not None:
        terms_of([Path(terms)])
        told["REFUNDS_TERMS"] = metadata[TERMS] = str(terms)
    processes = _processes(settings, metadata, told, principals, roles)
    if pages and find_spec("uvicorn") is not None:
        access = _access(settings, CONSOLE, principals)
        processes += (_pages({**told, **access}, roles.get(CONSOLE)),)
    assignments = tuple(f"{name}={value}" for name, value in told.items())
    return Plan(
        prepare=(("/usr/bin/env", *assignments, *_PROGRAM, "init", *_granting(principals, roles)),),
        processes=processes,
        metadata=metadata,
        database_url=settings.database_url,
        brokers=brokers,
        durable=durable,
        owner=owner,
        principals=principals,
        roles=tuple(sorted(roles.values(), key=lambda role: role != roles[PEOPLE])),
    )


def _processes(
    settings: Settings,
    metadata: Mapping[str, str],
    told: Mapping[str, str],
    principals: tuple[str, ...],
    roles: Mapping[str, str],
) -> tuple[ProcessSpec, ...]:
    return tuple(
        _spec(
            process,
            name,
            {**told, **_metrics(settings, process), **_access(settings, process, principals)},
            roles.get(process),
        )
        for process, name in names_of(metadata)
    )


def scaled(plan: Plan, counts: Mapping[str, int]) -> tuple[tuple[ProcessSpec, ...], dict[str, str]]:
    """The processes of a plan with other counts, and what to store about that."""
    partitions = int(plan.metadata[PARTITIONS])
    asked = counts_of(plan.metadata, counts, partitions)
    metadata = {**plan.metadata, **{name: str(count) for name, count in asked.items()}}
    known = {spec.name: spec for spec in plan.processes}
    found = [
        _spec(process, name, dict(known[process].env), known[process].role)
        for process, name in names_of(metadata)
        if process in known  # a stack of an earlier release may have fewer
    ]
    others = [spec for spec in plan.processes if spec.name == CONSOLE]
    return (*found, *others), metadata


def _metrics(settings: Settings, process: str) -> dict[str, str]:
    """A port of metrics that is named is the projector's; each other process gets a free one."""
    if settings.metrics_port == METRICS_OFF or (settings.metrics_port and process == "projector"):
        return {METRICS_PORT: str(settings.metrics_port)}
    return {}


def _access(settings: Settings, process: str, principals: tuple[str, ...]) -> dict[str, str]:
    """Each process of a secured stack connects as the principal of its name."""
    if not principals:
        return {}
    return {"REFUNDS_KAFKA_PROPERTIES": str(properties_of(settings.home_folder, process))}


def _secured(settings: Settings) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The principals at the brokers, and by principal its role in the embedded database."""
    from ledger.log.access import read_matrix

    matrix = read_matrix()
    ours = settings.database_url is None
    roles = {principal: role.name for principal, role in matrix.roles.items() if ours}
    return matrix.at_brokers, roles


def _granting(principals: tuple[str, ...], roles: Mapping[str, str]) -> tuple[str, ...]:
    """The rights in a database of the caller's own are the caller's business."""
    if not principals:
        return ()
    return ("--grant",) if roles else ("--grant", "--brokers-only")


def _spec(process: str, name: str, told: Mapping[str, str], role: str | None) -> ProcessSpec:
    """Its name is also its member id in the group, so that a restart causes no rebalance."""
    from devstack import ProcessSpec

    env = {**told, "REFUNDS_MEMBER": name}
    port = told.get(METRICS_PORT, "0")
    return ProcessSpec(
        name=name,
        argv=(*_PROGRAM, "run", process),
        env=env,
        port_variable=None if port == METRICS_OFF else METRICS_PORT,
        port=0 if port == METRICS_OFF else int(port),
        role=role,
    )


def _pages(told: Mapping[str, str], role: str | None) -> ProcessSpec:
    """The web console, at a free port of the loopback."""
    from devstack import ProcessSpec

    return ProcessSpec(
        name=CONSOLE,
        argv=(*_PROGRAM, "serve"),
        env=told,
        port_variable="REFUNDS_CONSOLE_PORT",
        role=role,
    )


PEOPLE = "operator"
"""The principal of whoever runs `refundctl`."""
_PROGRAM = (sys.executable, "-m", "console.main")

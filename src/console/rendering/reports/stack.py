"""Formats the status of a stack, as text and as JSON: processes, positions, lag, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from console.rendering.reports.origins import MODES
from console.running.lag import Lag, lags
from console.running.ledger_locator import (
    SANDBOX,
    SECURED,
    Ledger,
    connected,
    is_sandbox,
    origins_of,
    running_in,
)
from console.running.origins.origin_folder import OriginFolder
from console.running.stack_plan import CONSOLE
from console.terminal.errors import Failed, first_line
from devstack import ProcessStatus, State, Status
from devstack.postgres.database import GATE
from devstack.postgres.passwords import without_password
from ledger.origins.table import Mode
from ledger.values.instants import Instant, format_instant

if TYPE_CHECKING:
    from ledger.log.kafka import Replicas


_OPEN = "open: no TLS and no passwords, on this machine's loopback alone"
_SECURED = "secured: TLS, passwords and access rights"
_OWN_DATABASE = " at the brokers; the database is your own"


class Reading(Struct, frozen=True, kw_only=True):
    """What the broker and the database report about a running ledger, or why they do not answer."""

    lags: tuple[Lag, ...] = ()
    clock: Instant | None = None
    replicas: Replicas | None = None
    problem: str | None = None


def read_ledger(ledger: Ledger) -> Reading:
    """Ask the broker and the database for all positions."""
    import psycopg

    from consumers.clock import SandboxClock
    from ledger.log.kafka import KafkaTools, replicas
    from ledger.log.seam import LogUnavailable

    tools = KafkaTools(ledger.kafka)
    try:
        with connected(ledger.database_url) as connection:
            clock = SandboxClock(connection).now() if is_sandbox(connection) else None
            copies = replicas(ledger.kafka)
            return Reading(lags=lags(tools, connection), clock=clock, replicas=copies)
    except (LogUnavailable, psycopg.OperationalError, Failed) as error:
        return Reading(problem=first_line(error))
    finally:
        tools.close()


def status_to_json(seen: Status, *, ask: bool = True) -> dict[str, Any]:
    """A stack as JSON; `ask` also queries the broker and the database if they run."""
    reading = _reading(seen) if ask else Reading()
    return {
        "state": seen.state.value,
        "home": str(seen.home),
        "message": seen.message or reading.problem,
        "started_at": _instant(seen.started_at),
        "sandbox": seen.metadata.get(SANDBOX) == "yes",
        "clock": _instant(reading.clock),
        "bootstrap": seen.bootstrap,
        "secured": SECURED in seen.metadata,
        "origins": _origins(seen),
        "database_url": without_password(seen.database_url) if seen.database_url else None,
        "pages": pages_of(seen),
        "supervisor": seen.supervisor.pid if seen.supervisor else None,
        "processes": [_process_to_json(process) for process in seen.processes],
        "replicas": to_builtins(reading.replicas),
        "consumers": [
            {
                "name": lag.consumer,
                "topic": lag.topic,
                "lag": sum(lag.by_partition),
                "partitions": [
                    {"partition": number, "position": position, "end": end, "lag": behind}
                    for number, (position, end, behind) in enumerate(
                        zip(lag.positions, lag.ends, lag.by_partition, strict=True)
                    )
                ],
            }
            for lag in reading.lags
        ],
    }


def pages_of(seen: Status) -> str | None:
    """Where a stack serves the pages and the HTTP API, if it does."""
    ports = [each.port for each in seen.processes if each.name == CONSOLE]
    return f"http://127.0.0.1:{ports[0]}" if ports and ports[0] else None


def print_status(seen: Status, *, positions: bool = True) -> None:
    """A stack as tables for people."""
    from console.terminal.output import console, put

    out = console()
    kind = ", a sandbox" if seen.metadata.get(SANDBOX) == "yes" else ""
    out.print(f"[bold]{seen.state}[/]{kind}: {seen.home}", soft_wrap=True)
    for note in (*seen.notes, *([seen.message] if seen.message else [])):
        out.print(f"  {note}", soft_wrap=True, markup=False)
    if seen.state is State.ABSENT:
        out.print("  nothing has run here; start it with 'refundctl up'")
        return
    put(out, _process_table(seen))
    if seen.bootstrap and seen.database_url and seen.state in (State.RUNNING, State.DEGRADED):
        shown = without_password(seen.database_url)
        out.print(f"KAFKA_BOOTSTRAP={seen.bootstrap}\nDATABASE_URL={shown}", soft_wrap=True)
        if pages := pages_of(seen):
            out.print(f"pages and HTTP API: {pages}", soft_wrap=True, highlight=False)
        out.print(_security(seen), soft_wrap=True)
        out.print(f"origins {MODES[Mode(_origins(seen))]}", soft_wrap=True, highlight=False)
        reading = _reading(seen) if positions else Reading()
        if reading.clock is not None:
            out.print(f"the sandbox stands at {format_instant(reading.clock)}")
        if reading.replicas is not None and reading.replicas.replication > 1:
            out.print(_replicas_told(reading.replicas), soft_wrap=True)
        if reading.problem:
            out.print(reading.problem, soft_wrap=True, markup=False)
        if reading.lags:
            put(out, _lag_table(reading.lags))


def _origins(seen: Status) -> str:
    """The mode of the table of origins."""
    return OriginFolder(origins_of(seen)).history().newest.mode.value


def _security(seen: Status) -> str:
    if SECURED not in seen.metadata:
        return _OPEN
    ours = any(process.name == GATE for process in seen.processes)
    return _SECURED if ours else _SECURED + _OWN_DATABASE


def _reading(seen: Status) -> Reading:
    try:
        return read_ledger(running_in(seen))
    except Failed:
        return Reading()


def _replicas_told(found: Replicas) -> str:
    """`3 brokers, every record on 3 of them`, or what is missing."""
    told = f"{found.brokers} brokers, every record on {found.replication} of them"
    if found.under_replicated:
        told += f", but {len(found.under_replicated)} partitions lack a copy just now"
    if found.unwritable:
        told += f"; nothing can be written to {', '.join(found.unwritable)}"
    return told


def _process_to_json(process: ProcessStatus) -> dict[str, Any]:
    return {
        "name": process.name,
        "state": process.state.value,
        "pid": process.identity.pid if process.identity else None,
        "port": process.port,
        "started_at": _instant(process.started_at),
        "restarts": process.restarts,
        "last_exit": process.last_exit,
        "log": str(process.log),
    }


def _instant(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _process_table(seen: Status) -> Any:
    from rich.table import Table

    table = Table("process", "state", "pid", "port", "restarts", box=None, pad_edge=False)
    for process in seen.processes:
        pid = str(process.identity.pid) if process.identity else ""
        port = str(process.port or "")
        table.add_row(process.name, process.state.value, pid, port, str(process.restarts))
    return table


def _lag_table(found: tuple[Lag, ...]) -> Any:
    from rich.table import Table

    count = len(found[0].ends)
    table = Table("consumer", "reads", box=None, pad_edge=False)
    for partition in range(count):
        table.add_column(f"p{partition}", justify="right")
    table.add_column("lag", justify="right")
    for lag in found:
        places = [
            f"{'-' if position is None else position}/{end}"
            for position, end in zip(lag.positions, lag.ends, strict=True)
        ]
        table.add_row(lag.consumer, lag.topic, *places, str(sum(lag.by_partition)))
    return table

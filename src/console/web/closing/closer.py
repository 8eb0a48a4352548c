"""Closes a month in the background, once at a time."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg
import structlog
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from console.terminal.errors import explain
from console.web.backend import Backend
from console.web.closing import runs
from console.web.closing.month import Month
from console.web.closing.protocol import Json, protocol
from console.web.problems import Problem
from ledger.log.kafka import TopicTail
from ledger.log.seam import Topic
from projector.progress import Progress
from projector.reconciling.reconcile import reconcile

_LONGEST_STATEMENT = "-c statement_timeout=1h -c idle_in_transaction_session_timeout=1h"
_log = structlog.get_logger(__name__)


def close_month(backend: Backend, month: Month, asked_by: str) -> bool:
    """Begin to close a month; False if that is done already at this moment, by whoever.

    1. A connection takes the month's lock, and a row says that it runs. 2. A thread closes it over
    that connection. 3. The row gets the protocol, or the reason. A process that dies in between
    leaves a row that runs and no lock: it is shown as interrupted, and may be begun anew.
    Nothing else is written, so that nothing is ever half done.
    """
    connection = psycopg.connect(_patient(backend.ledger.database_url), autocommit=True)
    run = None
    try:
        run = runs.begin(connection, month, asked_by)
    finally:
        if run is None:
            connection.close()
    if run is None:
        return False
    name = f"closing of {month}"
    threading.Thread(
        target=_close, args=(backend, month, run, connection), name=name, daemon=True
    ).start()
    return True


def _close(backend: Backend, month: Month, run: int, connection: Connection[Any]) -> None:
    with connection:
        try:
            found = _closed(backend, month, run, connection)
        except Exception as error:  # a thread has no caller to tell
            reason = _reason(month, error)
            runs.end(connection, month, run, None, reason)
        else:
            runs.end(connection, month, run, found, "")


def _closed(backend: Backend, month: Month, run: int, connection: Connection[Any]) -> Json:
    conninfo = _patient(backend.ledger.database_url)

    def tell(step: str, share: int) -> None:
        runs.move(connection, month, run, step, share)

    def compared(progress: Progress) -> None:
        tell("RECONCILIATION", 60 + 39 * progress.done // max(1, progress.total))

    found = protocol(backend, conninfo, month, tell)
    tell("RECONCILIATION", 60)
    with closing(TopicTail(backend.ledger.kafka, Topic.EVENTS)) as source:
        compared_all = reconcile(conninfo, source, tell=compared)
    found["reconciliation"] = {
        "agrees": not compared_all.divergences,
        "rows": compared_all.rows,
        "views": len(compared_all.rows_of),
        "positions": {str(p): offset for p, offset in compared_all.positions.items()},
        "differences": [
            {"view": each.view, "key": [str(part) for part in each.key]}
            for each in compared_all.divergences
        ],
    }
    return found


def _reason(month: Month, error: Exception) -> str:
    if isinstance(error, (Problem, ValueError)):
        return str(error)
    told = explain(error)
    if told is None:
        _log.error("a month was not closed", month=str(month), exc_info=error)
        return f"a fault of ours: {type(error).__name__}; the log of this process has more"
    return told[1]


def _patient(database_url: str) -> str:
    """A statement about a whole month may take longer than one of a page."""
    options = conninfo_to_dict(database_url).get("options", "")
    return make_conninfo(database_url, options=f"{options} {_LONGEST_STATEMENT}".strip())

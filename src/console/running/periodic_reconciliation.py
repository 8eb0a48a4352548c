"""Reconciles the read models regularly in a separate process, and reports differences."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Event as Flag
from threading import Thread
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

PROGRAM = (sys.executable, "-m", "console.main", "reconcile", "--json")
"""A separate process: its memory is released, and the projector keeps its CPU."""
_LOOK_SECONDS = 1.0

DRIFTED = Gauge(
    "refunds_read_models_drifted",
    "Read models that differed from the log in the last reconciliation",
)
RECONCILED_AT = Gauge("refunds_reconciled_timestamp_seconds", "Time of the last reconciliation")
ROWS = Gauge("refunds_reconciled_rows", "Rows compared in the last reconciliation")
FAILURES = Counter("refunds_reconciliations_failed", "Reconciliations that failed")

log = structlog.get_logger()


def start_reconciling(interval_seconds: float, stop: Flag) -> Thread:
    """Reconcile repeatedly, first after one interval, until stopped."""

    def go_on() -> None:
        while not stop.wait(interval_seconds):
            reconcile_once(stop)

    thread = Thread(target=go_on, name="reconciler", daemon=True)
    thread.start()
    return thread


def reconcile_once(stop: Flag, program: Sequence[str] = PROGRAM) -> None:
    """One reconciliation; its result goes to the metrics and the log."""
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    with process:
        while True:
            try:
                out, err = process.communicate(timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if stop.is_set():
                    process.kill()
                    return
            else:
                break
    _tell(out, err)


def _tell(out: str, err: str) -> None:
    found = _read(out)
    if found is None:
        FAILURES.inc()
        log.error("read models could not be reconciled", reason=err.strip()[-500:])
        return
    rows = sum(found["rows"].values())
    DRIFTED.set(len(found["divergences"]))
    RECONCILED_AT.set(time.time())
    ROWS.set(rows)
    if found["divergences"]:
        first = found["divergences"][0]
        log.error("read models differ from the log", positions=found["positions"], **first)
    else:
        log.info("read models reconciled", rows=rows, positions=found["positions"])


def _read(out: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return None
    return found

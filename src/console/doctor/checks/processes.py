"""The processes of `refundctl up`: each runs, is ready, and has not ended again and again."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

from console.doctor.finding import Finding, error, fine, skipped, warning
from console.doctor.patient import Patient
from devstack import ProcessState, ProcessStatus, State

_SECONDS = 5.0


def processes(patient: Patient) -> Iterator[Finding]:
    """By the supervisor's status, and each process's own word on /readyz."""
    seen = patient.stack_status
    if seen is None:
        yield skipped("KAFKA_BOOTSTRAP is set: the processes are not those of 'refundctl up'")
        return
    if seen.state not in (State.RUNNING, State.DEGRADED):
        yield error(
            f"the stack in {seen.home} is {seen.state}",
            "nothing is decided and nothing is shown",
            seen.message or "start it with 'refundctl up'",
        )
        return
    for process in seen.processes:
        yield from _of(process)


def _of(process: ProcessStatus) -> Iterator[Finding]:
    if process.state is not ProcessState.READY:
        yield error(
            f"{process.name} is {process.state}, last exit {process.last_exit}",
            "its part of the work stands still",
            f"read why: refundctl logs {process.name} -n 50",
        )
        return
    why_not = None if process.service or process.port is None else _why_not_ready(process.port)
    if why_not is not None:
        yield warning(
            f"{process.name} is not ready: {why_not}",
            "its part of the work waits",
            f"wait if it restores; else read refundctl logs {process.name} -n 50",
        )
    if process.restarts:
        yield warning(
            f"{process.name} was started again {process.restarts} times, last exit "
            f"{process.last_exit}",
            "it meets an error that does not pass, or is ended from outside",
            f"read why: refundctl logs {process.name} -n 50",
        )
    if why_not is None and not process.restarts:
        yield fine(f"{process.name} runs and is ready")


def _why_not_ready(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_SECONDS):
            return None
    except HTTPError as answer:
        with answer:
            return answer.read().decode(errors="replace").strip()
    except OSError as error_:
        return f"its port {port} does not answer ({error_})"

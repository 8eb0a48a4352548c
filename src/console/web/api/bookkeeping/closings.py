"""`/v1/closings`: closes a month, and shows every closing with its protocol."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request
from fastapi.responses import JSONResponse

from console.web.access.guard import caller_of
from console.web.api.openapi import json_answer, problem_answers
from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.closing import runs
from console.web.closing.closer import close_month
from console.web.closing.month import Month, month_of
from console.web.closing.protocol import see_that_it_can_be_closed
from console.web.closing.runs import Run
from console.web.problems import Problem
from ledger.values.instants import format_instant, from_datetime
from projector.exports.period import BadPeriod

router = APIRouter(prefix="/v1/closings", tags=["books"])
Named = Annotated[str, Path(description="In UTC.", examples=["2026-01"])]


@router.get(
    "", responses={200: json_answer("Closings", "The newest of each of the latest 24 months.")}
)
def closings(backend: Asked) -> dict[str, Any]:
    """The months that were closed, with how the newest closing of each stands."""
    with backend.connection() as connection:
        return {"closings": [_run_to_json(each) for each in runs.newest_runs(connection)]}


@router.get("/{month}", responses={200: json_answer("Closings", "The newest first.")})
def closings_of(month: Named, backend: Asked) -> dict[str, Any]:
    """Every closing of a month: the one that runs, and the protocols."""
    return _of(backend, wanted_month(month))


@router.post(
    "",
    status_code=202,
    responses={
        202: json_answer("Closings", "It is being closed; Location shows how far it is."),
        **problem_answers(s409="The month could still get events."),
    },
)
def close(
    request: Request,
    backend: Asked,
    month: Annotated[str, Body(embed=True, description="In UTC.", examples=["2026-01"])],
) -> JSONResponse:
    """Begin to close a month, unless that is being done."""
    wanted = wanted_month(month)
    begin(backend, wanted, caller_of(request).name)
    where = {"Location": f"/v1/closings/{wanted}"}
    return JSONResponse(_of(backend, wanted), 202, headers=where)


def begin(backend: Backend, month: Month, asked_by: str) -> None:
    """Begin to close a month, unless that is being done. Problem where it can still get events."""
    with backend.connection() as connection:
        try:
            see_that_it_can_be_closed(connection, month)
        except BadPeriod as error:
            raise Problem(409, "Not possible", str(error)) from error
    close_month(backend, month, asked_by)


def wanted_month(text: str) -> Month:
    """The month that a text names. Problem for one that names none."""
    found = month_of(text)
    if found is None:
        raise Problem(
            400, "The request cannot be read", f"month: {text[:40]!r} is none; write 2026-01"
        )
    return found


def _of(backend: Backend, month: Month) -> dict[str, Any]:
    with backend.connection() as connection:
        return {"closings": [_run_to_json(each) for each in runs.runs_of(connection, month)]}


def _run_to_json(run: Run) -> dict[str, Any]:
    ended = run.ended_at
    return {
        "month": f"{run.month:%Y-%m}",
        "run": run.run,
        "state": run.state,
        "step": run.step,
        "share": run.share,
        "asked_by": run.asked_by,
        "began_at": format_instant(from_datetime(run.began_at)),
        "ended_at": None if ended is None else format_instant(from_datetime(ended)),
        "reason": run.reason,
        "protocol": run.protocol,
    }

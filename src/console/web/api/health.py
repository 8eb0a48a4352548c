"""`/livez` and `/readyz`: whether this process runs, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from console.web.api.queries import Asked
from console.web.background import Background
from console.web.problems import Problem
from projector.asking.queries import positions

router = APIRouter(tags=["health"])


@router.get("/livez")
async def alive() -> dict[str, str]:
    """This process answers, also while all its threads wait for something else."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(request: Request, backend: Asked) -> dict[str, str]:
    """The read models answer, a projector has shown something in them, and what runs beside the
    requests does its work.
    """
    background: Background = request.app.state.background
    if background.failing:
        tasks = " and ".join(background.failing)
        raise Problem(503, "Not available", f"{tasks}: the last try failed; the log says why")
    with backend.connection() as connection:
        return {"status": "ok" if positions(connection) else "no read models yet"}

"""`/livez` and `/readyz`: whether this process runs, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from console.web.api.queries import Asked
from projector.asking.queries import positions

router = APIRouter(tags=["health"])


@router.get("/livez")
async def alive() -> dict[str, str]:
    """This process answers, also while all its threads wait for something else."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(backend: Asked) -> dict[str, str]:
    """The read models answer, and a projector has shown something in them."""
    with backend.connection() as connection:
        return {"status": "ok" if positions(connection) else "no read models yet"}

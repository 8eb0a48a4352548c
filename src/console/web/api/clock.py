"""`/v1/clock`: the present instant, which in a sandbox is set by hand."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from fastapi import APIRouter, Body

from console.running.ledger_locator import is_sandbox
from console.web.api.openapi import json_answer, problem_answers
from console.web.api.queries import Asked, instant_of
from console.web.desk import signer_of
from console.web.problems import Problem
from consumers.sandbox.sandbox_world import SandboxWorld
from consumers.sandbox.simulated_time import step_to
from ledger.log.kafka import KafkaTools
from ledger.values.instants import format_instant

router = APIRouter(prefix="/v1", tags=["sandbox"])


@router.get("/clock", responses={200: json_answer("Clock", "Where it stands.")})
def clock(backend: Asked) -> dict[str, str | None]:
    """Where the clock of a sandbox stands; null for a ledger in real time."""
    now = backend.sandbox_at()
    return {"sandbox_at": None if now is None else format_instant(now)}


@router.post(
    "/clock",
    responses={
        200: json_answer("Clock", "Where it stands now."),
        **problem_answers(s409="No sandbox, or an instant in its past."),
    },
)
def advance(
    backend: Asked, to: Annotated[str, Body(embed=True, description="RFC 3339.")]
) -> dict[str, str | None]:
    """Advance a sandbox's clock; every deadline on the way takes effect at its own instant."""
    target = instant_of("to", to)
    assert target is not None
    with backend.connection() as connection:
        if not is_sandbox(connection):
            raise Problem(409, "No sandbox", "this ledger runs in real time; its clock is not set")
        with closing(KafkaTools(backend.ledger.kafka)) as tools:
            world = SandboxWorld(connection, tools, signing=lambda: signer_of(backend))
            if target < world.now():
                stands = format_instant(world.now())
                raise Problem(409, "In the past", f"the sandbox stands at {stands}, which is later")
            step_to(world, target, inclusive=True)
            return {"sandbox_at": format_instant(world.now())}

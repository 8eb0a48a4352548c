"""`/work`: support tasks, held refunds, what was paid twice; take one, give it back, it is done."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from psycopg import Connection

from console.web.access.guard import caller_of
from console.web.api.cursors import cursor_of, place_of
from console.web.api.queries import Asked
from console.web.pages.accounts.things import act_path
from console.web.pages.rendering import page
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.languages import N_
from console.web.pages.rendering.links import address, refund_path
from console.web.pages.work import waiting
from console.web.pages.work.waiting import KINDS, LETTER, REFUND, Holder, Waiting
from console.web.problems import Problem

router = APIRouter(prefix="/work", tags=["pages"], include_in_schema=False)
ROWS = 50
PARTS = {
    "tasks": N_("Support tasks"),
    "held": N_("Held refunds"),
    "overpaid": N_("Paid though not owed"),
}
SOMEBODY_ELSE_MAY_LET_GO = "operator"
Kind = Annotated[str, Form()]
Id = Annotated[str, Form(min_length=1, max_length=300)]


@router.get("", dependencies=[Depends(stand)])
def work(
    request: Request,
    backend: Asked,
    part: Annotated[str, Query()] = "",
    cursor: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """What waits for a person, the oldest first; or one part of it, from a cursor on."""
    if part and part not in PARTS:
        raise Problem(
            400, "The request cannot be read", f"part: {part!r} is none of {', '.join(PARTS)}"
        )
    with backend.connection() as connection:
        parts = [
            _part(connection, name, cursor if part else "") for name in PARTS if part in {"", name}
        ]
    return page(request, "work/work.html", parts=parts, one=part)


@router.post("/take")
def take(
    request: Request,
    backend: Asked,
    kind: Kind,
    id: Id,  # noqa: A002, the field's name
    account: Annotated[str, Form()] = "",
) -> Response:
    """Take it; or the page that says who has it."""
    me = caller_of(request).name
    with backend.connection() as connection:
        _see_that_it_is_there(connection, kind, account, id)
        has = waiting.take(connection, kind, account, id, me)
    if has.name != me:
        return _taken(request, has, kind)
    return RedirectResponse(_page_of(kind), 303)


@router.post("/give-back")
def give_back(
    request: Request,
    backend: Asked,
    kind: Kind,
    id: Id,  # noqa: A002, as above
    account: Annotated[str, Form()] = "",
) -> Response:
    """Have it no more. An operator takes it from anybody."""
    caller = caller_of(request)
    with backend.connection() as connection:
        has = waiting.holder(connection, kind, account, id)
        if has is not None:
            if has.name != caller.name and SOMEBODY_ELSE_MAY_LET_GO not in caller.principals:
                return _taken(request, has, kind)
            waiting.give_back(connection, kind, account, id, has.name)
    return RedirectResponse(_page_of(kind), 303)


@router.post("/done")
def done(
    request: Request,
    backend: Asked,
    account: Annotated[str, Form()],
    task_id: Annotated[str, Form()],
) -> Response:
    """The task is done, says who has taken it."""
    me = caller_of(request).name
    with backend.connection() as connection:
        refund_id = waiting.refund_of_task(connection, account, task_id)
        if refund_id is None:
            raise Problem(404, "Not found", f"account {account} has no support task {task_id!r}")
        has = waiting.take(connection, REFUND, account, refund_id, me)
        if has.name == me:
            waiting.done(connection, account, task_id, me)
    return RedirectResponse("/work", 303) if has.name == me else _taken(request, has, REFUND)


def _see_that_it_is_there(
    connection: Connection[Any], kind: str, account_id: str, id_: str
) -> None:
    if kind not in KINDS:
        raise Problem(
            400, "The request cannot be read", f"kind: {kind!r} is none of {', '.join(KINDS)}"
        )
    if kind == REFUND and not waiting.is_there(connection, account_id, id_):
        raise Problem(404, "Not found", f"account {account_id} has no refund {id_!r}")


def _taken(request: Request, has: Holder, kind: str) -> HTMLResponse:
    return page(request, "work/taken.html", 409, holder=has, back=_page_of(kind))


def _page_of(kind: str) -> str:
    return "/work/letters" if kind == LETTER else "/work"


def _part(connection: Connection[Any], name: str, cursor: str) -> dict[str, Any]:
    """Its rows, and where they go on."""
    after = place_of(f"work-{name}", cursor or None, waiting.PLACE)
    rows, last = waiting.waiting(connection, name, ROWS, after)
    more = ""
    if last is not None:
        more = address("/work", {"part": name, "cursor": cursor_of(f"work-{name}", last)})
    return {
        "name": name,
        "words": PARTS[name],
        "rows": [_row(each) for each in rows],
        "more": more,
    }


def _row(each: Waiting) -> dict[str, Any]:
    account, refund = each.account_id, each.refund_id
    return {
        "it": each,
        "refund_link": refund_path(refund, account),
        "settle": act_path(account, "SettleRefund", refund) if each.state == "HELD" else "",
        "correct": act_path(account, "CorrectRefund", refund),
    }

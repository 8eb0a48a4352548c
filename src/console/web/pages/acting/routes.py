"""`/accounts/ACCOUNT/acts/COMMAND`: the pages by what is asked, the forms by their step."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from console.web.access.guard import own_things
from console.web.api.commands import UNANSWERED
from console.web.api.queries import Asked
from console.web.pages.acting import steps
from console.web.pages.acting.forms.reading import body_of
from console.web.pages.acting.visit import Form, Visit, keep, visit_of
from console.web.pages.rendering.before_rows import stand
from console.web.pages.rendering.page import look_of
from console.web.problems import Problem


def to_act(request: Request) -> None:
    """403 where nothing can be done from the pages, before anything is typed."""
    if look_of(request).read_only:
        raise Problem(403, "Not allowed", "this console was started read only")


router = APIRouter(
    prefix="/accounts/{account_id}/acts",
    tags=["pages"],
    include_in_schema=False,
    dependencies=[Depends(to_act)],
)


@router.get("/{name}", dependencies=[Depends(stand), Depends(own_things)])
def shown(request: Request, backend: Asked, account_id: str, name: str) -> Response:
    """The step that the query names."""
    visit = visit_of(request, backend, account_id, name, dict(request.query_params))
    if visit.told.get("done"):
        return steps.show_outcome(visit)
    if visit.told.get("quote") and visit.page.quote is not None:
        return steps.show_quote(visit)
    return steps.begin(visit, body_of(visit.page.asked, visit.told))


@router.post("/{name}", dependencies=[Depends(own_things)])
def sent(request: Request, backend: Asked, account_id: str, name: str, form: Form) -> Response:
    """The step that the form names; a list that gets one more item, and a way back, name none."""
    try:
        return _next(visit_of(request, backend, account_id, name, form))
    except UNANSWERED:
        return keep(request, backend, account_id, name, form)


def _next(visit: Visit) -> Response:
    form = visit.told
    if more := form.get("more"):
        return steps.begin(visit, body_of(visit.page.asked, form), more=more)
    match form.get("step"):
        case "quote" if visit.page.quote is not None:
            return steps.ask_for_quote(visit)
        case "review" if visit.page.quote is None:
            return steps.review(visit)
        case "act":
            return steps.act(visit)
        case _:
            return steps.begin(visit, body_of(visit.page.asked, form))

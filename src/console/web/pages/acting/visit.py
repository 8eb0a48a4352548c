"""One request to an act: the act, its account, who asks and for whom, and where the pages are."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct
from msgspec.structs import replace

from console.web.access.guard import Caller, caller_of
from console.web.access.own_things import own_actor, see_own_command
from console.web.api.commands import MAY_NAME_ANY_ACTOR, actor_of
from console.web.backend import Backend
from console.web.pages.acting.act_page import ActPage
from console.web.pages.acting.acts import ACTS
from console.web.pages.acting.facts import currency_of
from console.web.pages.rendering import page as rendered
from console.web.pages.rendering.links import account_path, address
from console.web.problems import FieldFault, Problem
from ledger.log.access import Matrix, read_matrix
from ledger.values.money import Currency
from ledger.vocabulary.commands import ROLES, Command, OpenAccount
from ledger.vocabulary.shapes import Actor, Role

_KEPT = ("thing", "agreed", "was", "as")
_STANDS_IN_FOR = frozenset({Role.OWNER, Role.BUYER})
_OF_OWN_THINGS = frozenset({Role.BUYER, Role.VENDOR})


class Visit(Struct, frozen=True, kw_only=True):
    """What every step knows. `told` is the query of a page, or the form that was sent."""

    request: Request
    backend: Backend
    account_id: str
    page: ActPage
    caller: Caller
    told: dict[str, str]
    currency: Currency | None = None
    own_actor: Actor | None = None

    @property
    def path(self) -> str:
        """The address of the act, without what is asked."""
        return f"{account_path(self.account_id)}/acts/{self.page.name}"

    def at(self, **query: str) -> str:
        """The address of a step; what holds for all steps is kept, what is empty is left out."""
        return address(self.path, {name: self.told.get(name, "") for name in _KEPT} | query)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles to choose from, for a caller who may name any actor; else nothing."""
        return tuple(sorted(roles_for(self.caller, self.page.act))) if self._names_any else ()

    def actor(self) -> Actor:
        """In whose name the command is given. Raises FieldFault where that is badly told."""
        if self.own_actor is not None:
            return self.own_actor
        try:
            return actor_of(self.caller, self.told.get("as") or None if self._names_any else None)
        except FieldFault as fault:
            raise FieldFault([{**each, "field": "as"} for each in fault.faults]) from fault

    @property
    def sent_again(self) -> dict[str, str]:
        """The form that was sent, to be sent again."""
        return {name: value for name, value in self.told.items() if name != "csrf"}

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A step's page."""
        return rendered(
            self.request,
            f"acting/{template}.html",
            status,
            visit=self,
            act=self.page.name,
            account_id=self.account_id,
            csrf=self.caller.csrf or "",
            **values,
        )

    @property
    def _names_any(self) -> bool:
        return self.caller.own is None and bool(self.caller.principals & MAY_NAME_ANY_ACTOR)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; a file is none."""
    sent = await request.form()
    return {name: value for name, value in sent.multi_items() if isinstance(value, str)}


Form = Annotated[dict[str, str], Depends(_form)]


def visit_of(
    request: Request, backend: Backend, account_id: str, name: str, told: dict[str, str]
) -> Visit:
    """The visit. 404 for an act or an account that is not there, or not the own one; 403 for who
    may not give the command.
    """
    visit = _unasked(request, backend, account_id, name, told)
    actor = _own_actor(visit)
    currency = currency_of(backend, account_id)
    if currency is None and visit.page.act is not OpenAccount:
        raise Problem(404, "Not found", f"account {account_id} was never opened, or not shown yet")
    return replace(visit, currency=currency, own_actor=actor)


def keep(
    request: Request, backend: Backend, account_id: str, name: str, told: dict[str, str]
) -> HTMLResponse:
    """The page for a form that came while brokers or database were away: nothing of it is lost."""
    visit = _unasked(request, backend, account_id, name, told)
    return visit.show("unknown", 503, command_id="", hidden=visit.sent_again)


def _unasked(
    request: Request, backend: Backend, account_id: str, name: str, told: dict[str, str]
) -> Visit:
    """The visit, as far as it is known without the database."""
    page = ACTS.get(name)
    if page is None:
        raise Problem(404, "Not found", f"there is no act {name!r}; see the commands in /v1/docs")
    caller = caller_of(request)
    if not roles_for(caller, page.act):
        roles = " or ".join(sorted(ROLES[page.act]))
        raise Problem(403, "Not allowed", f"{caller.name} may not give {name}; it takes {roles}")
    return Visit(
        request=request,
        backend=backend,
        account_id=account_id,
        page=page,
        caller=caller,
        told=told,
    )


def _own_actor(visit: Visit) -> Actor | None:
    """As whom a buyer or a vendor acts; None for everybody else. 404 for what is not theirs."""
    own, told = visit.caller.own, visit.told
    if own is None:
        return None
    purchase_id = told.get("purchase_id") or told.get("thing", "")
    about = {"purchase_id": purchase_id, "acknowledged": False}
    body: Command = msgspec.convert(about, visit.page.act)
    with visit.backend.connection() as connection:
        if done := told.get("done"):
            see_own_command(connection, own, visit.account_id, done)
        return own_actor(connection, own, visit.caller.name, visit.account_id, body)


def roles_for(caller: Caller, act: type[Command]) -> frozenset[Role]:
    """In which roles a caller may give a command: what the access matrix says of its route, and
    what the rules say of its roles.
    """
    route = f"POST /v1/accounts/{{account_id}}/commands/{act.__name__}"
    operation = "CALL" if caller.own is None else "OWN"
    rights = _matrix().rights_on("route", route)
    allowed = {right.principal for right in rights if right.operation == operation}
    if not caller.principals & allowed:
        return frozenset()
    if caller.own is not None:
        return ROLES[act] & _OF_OWN_THINGS
    may = ROLES[act] - {Role.SYSTEM}
    if may & _STANDS_IN_FOR:
        may |= {Role.SUPPORT}
    return may if caller.principals & MAY_NAME_ANY_ACTOR else may & {Role.SUPPORT}


@cache
def _matrix() -> Matrix:
    return read_matrix()

"""Gives the command of a form, once: its id is made from the form and from what is in it."""

from __future__ import annotations

import hashlib
import json
import uuid

from msgspec import Struct

from console.web.api.commands import UNANSWERED, body_told, given_now
from console.web.desk import give
from console.web.pages.acting.forms.reading import Json
from console.web.pages.acting.visit import Visit
from ledger.vocabulary.commands import Command
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import Actor

_PATIENCE_SECONDS = 3.0


class NotKnown(Exception):
    """Whether the command was published is not known: the same may be sent again."""

    def __init__(self, command_id: str) -> None:
        super().__init__(command_id)
        self.command_id = command_id


class Given(Struct, frozen=True, kw_only=True):
    """The id of a command that was given; `other`: the id had other content before; `waits`: it was
    not published, a second person decides.
    """

    command_id: str
    other: bool = False
    waits: bool = False


def new_form() -> str:
    """The mark of a form that is about to be shown."""
    return str(uuid.uuid4())


def command_id_of(form: str, kind: type[Command], actor: Actor, told: Json) -> str:
    """The same for the same content of the same form."""
    content = json.dumps([form, kind.__name__, actor.role, actor.id, told], sort_keys=True)
    return f"web-{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def read(visit: Visit, kind: type[Command], told: Json, form: str) -> GivenCommand:
    """The command. Raises FieldFault with every field that cannot be taken."""
    actor = visit.actor()
    meta = CommandMeta(
        command_id=command_id_of(form, kind, actor, told),
        account_id=visit.account_id,
        actor=actor,
    )
    body = body_told(visit.backend, kind, told, visit.account_id)
    return given_now(visit.backend, meta, body)


def publish(visit: Visit, given: GivenCommand) -> Given:
    """Publish it unless it was, and wait a little until the pages show what came of it.

    Raises NotKnown where the brokers or the database do not answer.
    """
    command_id = given.meta.command_id
    try:
        answered = give(visit.backend, given, _PATIENCE_SECONDS, by=visit.caller.giver)
    except UNANSWERED as error:
        raise NotKnown(command_id) from error
    waits = answered.proposal is not None
    return Given(command_id=command_id, other=answered.other, waits=waits)

"""`refundctl dlq redrive` and `discard`: what ends a dead letter."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands.dlq.selection import (
    AsJson,
    Only,
    known_reason,
    named_letters,
    open_only_writer,
    open_tools,
)
from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from consumers.dead_letters.redrive import Order
    from consumers.dead_letters.status import LetterStatus
    from ledger.wire.dead_letters.closing import Resolved

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LETTER]...", help="As 'dlq list' names them: partition:offset."),
]
Every = Annotated[bool, typer.Option("--all", help="Every letter that is still open.")]
Actor = Annotated[
    str | None, typer.Option("--actor", help="Who does it (default: the user of this machine).")
]


def redrive(
    letters: Names = None,
    every: Every = False,
    only: Only = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the letter.")] = "",
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Give records back to the decider, unchanged and once.

    The record and the note that it was redriven are written together, so a second run, or one after
    a crash, passes over what the first has done. The record is judged like any other, at the
    instant at which it arrives now; if it still cannot be read, it becomes a dead letter anew. One
    that was sent to a wrong partition goes to its account's.

    Examples:

      refundctl dlq redrive 0:17 2:4

      refundctl dlq redrive --all --only BREAKS_THE_CODE --reason "fixed in 0.2.0"
    """
    from ledger.wire.dead_letters.closing import Resolved

    order = _order(Resolved.REDRIVEN, actor, reason)
    _resolve(order, letters or [], every=every, only=only, as_json=as_json)


def discard(
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the letter.")],
    letters: Names = None,
    every: Every = False,
    only: Only = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Close letters for good, with a reason.

    Their records stay where they are.

    Examples:

      refundctl dlq discard 0:17 --reason "a load test of upstream"
    """
    from ledger.wire.dead_letters.closing import Resolved

    if not reason.strip():
        raise BadInput("--reason is empty; say why the letter needs no outcome")
    order = _order(Resolved.DISCARDED, actor, reason)
    _resolve(order, letters or [], every=every, only=only, as_json=as_json)


def _resolve(
    order: Order, names: list[str], *, every: bool, only: str | None, as_json: bool
) -> None:
    """Choose among the letters once nobody else can close one, check all, then close them."""
    from console.rendering.reports.dead_letters import print_resolved
    from consumers.dead_letters.redrive import resolve
    from consumers.dead_letters.status import settled_letter_statuses

    if bool(names) == every:
        raise BadInput("name letters, such as 0:17, or say --all; 'dlq list' shows them")
    code = known_reason(only)
    with open_tools() as tools, open_only_writer() as writer:
        found = settled_letter_statuses(tools, writer)
        asked = list(found.values()) if every else named_letters(names, found)
        asked = [each for each in asked if code in (None, each.reason)]
        chosen = [each for each in asked if each.resolution is None]
        if not every:
            _check_closed(asked, order.kind)
        done = {each.source: each for each in resolve(tools, writer, chosen, order)}
    before = [] if every else [each for each in asked if each.resolution is not None]
    print_resolved(order.kind, before, done, as_json=as_json)


def _check_closed(asked: list[LetterStatus], kind: Resolved) -> None:
    """A letter is closed once: what was redriven is not discarded, nor the other way round."""
    for each in asked:
        done = each.resolution
        if done is not None and done.kind is not kind:
            raise BadInput(
                f"letter {each.source} was {done.kind.lower()} by {done.actor}, and stays so; "
                "nothing was changed"
            )


def _order(kind: Resolved, actor: str | None, reason: str) -> Order:
    from consumers.dead_letters.redrive import Order
    from ledger.wire.dead_letters.letter import MAX_TEXT

    who = (actor if actor is not None else _user()).strip()
    if not who:
        raise BadInput("nobody is named; say who does this with --actor")
    for name, text in (("--actor", who), ("--reason", reason)):
        if len(text) > MAX_TEXT:
            raise BadInput(f"{name} has {len(text)} characters; at most {MAX_TEXT} are kept")
    return Order(kind=kind, actor=who, reason=reason.strip())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"

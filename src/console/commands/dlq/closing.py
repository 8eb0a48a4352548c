"""`refundctl dlq redrive` and `discard`: close a dead letter."""

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
    typer.Argument(metavar="[LETTER]...", help="As 'dlq list' shows them: partition:offset."),
]
Every = Annotated[bool, typer.Option("--all", help="All open letters.")]
Actor = Annotated[
    str | None, typer.Option("--actor", help="Who does this (default: your user name).")
]


def redrive(
    letters: Names = None,
    every: Every = False,
    only: Only = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the letter.")] = "",
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Send records to the decider again, unchanged and only once.

    The copy of the record and the closing of the letter are written in one transaction. So a second
    run, also after a crash, skips what the first run has done. The record is judged like any other,
    at the instant at which the copy arrives. If it still cannot be read, it becomes a new dead
    letter. A record that was sent to a wrong partition is sent to the partition of its account.

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

    The records stay in the topic.

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
    """Select the letters while nobody else can close one, check all, then close them."""
    from console.rendering.reports.dead_letters import print_resolved
    from consumers.dead_letters.redrive import resolve
    from consumers.dead_letters.status import settled_letter_statuses

    if bool(names) == every:
        raise BadInput("name letters, for example 0:17, or use --all; 'dlq list' shows them")
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
    """A letter is closed once: a redriven letter cannot be discarded, or the other way round."""
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
        raise BadInput("no actor is given; say with --actor who does this")
    for name, text in (("--actor", who), ("--reason", reason)):
        if len(text) > MAX_TEXT:
            raise BadInput(f"{name} has {len(text)} characters; at most {MAX_TEXT} are kept")
    return Order(kind=kind, actor=who, reason=reason.strip())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"

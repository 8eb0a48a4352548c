"""The page of states: what comes of every command in every state, as the decider answers today."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.state.asked import asked
from tests.ledger.state.reached import FAMILIES, Family
from tools.reference.words import WRITTEN, paragraph, table

INTRODUCTION = """\
The states of each kind of entity, and the outcome of every command in each state: the events, or
the refusal codes. For each state the shortest sequence of commands that leads to it was run, then
the command, with a role that may send it. If a command acts on a quote, the quote was made at the
same instant; a held refund is settled by support; the gateway answers the first attempt, under a
new reference. A command without a row does not depend on the entity's state.
"""


def states_page() -> str:
    """docs/reference/states.md."""
    families = "".join(part for family in FAMILIES for part in _family(family))
    return f"# States\n\n{WRITTEN}{paragraph(INTRODUCTION)}{families}".rstrip("\n") + "\n"


def _family(family: Family) -> Iterator[str]:
    yield f"## {family.name.capitalize()}\n\n"
    rows = [
        (f"`{kind.__name__}`", *(asked(reach(), kind) for reach in family.states.values()))
        for kind in family.commands
    ]
    yield table(("command", *family.states), rows) + "\n"

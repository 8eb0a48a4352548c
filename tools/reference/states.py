"""The page of states: what comes of every command in every state, as the decider answers today."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.state.asked import asked
from tests.ledger.state.reached import FAMILIES, Family
from tools.reference.words import WRITTEN, paragraph, table

INTRODUCTION = """\
Every state that a thing can be in, and what comes of every command about it: the events it leads
to, or the codes it is refused with. Each state is brought about by the shortest story that leads
there, and the command given by a role that may give it; who acts on a quote has asked for it at
that instant, and a held refund is settled by support. A command that stands in no row takes no
notice of such a thing; it has an outcome in each of these states too.
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

"""The page of what comes in files of one shape: reactions, views and audit checks."""

from __future__ import annotations

from inspect import cleandoc
from sys import modules

from consumers.reactions import REACTIONS
from ledger.audit.checks import CHECKS
from projector.views import VIEWS
from tools.reference.words import WRITTEN, paragraph, table


def parts_page() -> str:
    """docs/reference/parts.md."""
    parts = (_reactions(), _views(), _checks())
    return "# Reactions, views, checks\n\n" + WRITTEN + "\n".join(parts)


def _reactions() -> str:
    said = paragraph("What the system does at once because of an event, always by a command.")
    rows = [
        (
            f"`{reaction.__name__}`",
            ", ".join(f"[`{kind.__name__}`](events.md#{kind.__name__.lower()})" for kind in kinds),
            _first(reaction.__doc__),
        )
        for reaction, kinds in REACTIONS
    ]
    return f"## Reactions\n\n{said}{table(('reaction', 'shown', 'what it does'), rows)}"


def _views() -> str:
    said = paragraph(
        "Each is a table of schema `read_models`, folded from the events; people ask the views of",
        "schema `finance` made of them.",
    )
    rows = [(f"`{view.TABLE.name}`", _first(_document_of(view))) for view in VIEWS]
    return f"## Views\n\n{said}{table(('view', 'the question it answers'), rows)}"


def _checks() -> str:
    said = paragraph(
        "What `refundctl audit verify` claims of every partition, or shows to be wrong."
    )
    rows = [(f"`{check.name}`", check.claim) for check in CHECKS]
    return f"## Audit checks\n\n{said}{table(('check', 'what holds'), rows)}"


def _document_of(view: object) -> str | None:
    """The docstring of a view, which is a module."""
    return modules[view.__name__].__doc__ if hasattr(view, "__name__") else None


def _first(document: str | None) -> str:
    """The first paragraph, on one line."""
    return " ".join(cleandoc(document or "").split("\n\n")[0].split())

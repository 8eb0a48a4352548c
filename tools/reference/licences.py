"""The page of run-time dependencies with their licences, as each distribution states them."""

from __future__ import annotations

from importlib.metadata import distribution

from tools.dependencies import RUN_AS_PROGRAMS, closure, extras, licences, required
from tools.reference.words import WRITTEN, paragraph, table


def licences_page() -> str:
    """docs/reference/licences.md."""
    base = closure(required())
    parts = [
        "# Licences\n\n",
        WRITTEN,
        paragraph(
            "The packages that the ledger uses at run time, and the licence that each states. None "
            "of the GPL is imported; a test checks it."
        ),
        "## Every installation\n\n" + _rows(base) + "\n",
    ]
    for extra, asked in sorted(extras().items()):
        parts.append(f"## The extra `{extra}`\n\n" + _rows(closure(asked) - base) + "\n")
    programs = "; ".join(f"`{name}` is {what}" for name, what in sorted(RUN_AS_PROGRAMS.items()))
    return "".join((*parts, f"{programs}.\n"))


def _rows(names: set[str]) -> str:
    return table(("package", "licence"), [(f"`{name}`", _licence(name)) for name in sorted(names)])


def _licence(name: str) -> str:
    """An expression goes before a classifier, and that before free text."""
    stated = list(licences(name))
    if "License-Expression" in distribution(name).metadata:
        return stated[0]
    classified = [text for text in stated if text.startswith("License ::")]
    return (*classified, *stated)[0].removeprefix("License :: ").removeprefix("OSI Approved :: ")

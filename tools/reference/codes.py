"""The page of refusal codes in order of precedence, from the rulebook's own tuples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from sys import modules
from typing import NamedTuple

from ledger.policies import JUDGED, STOPPERS
from ledger.values.refusal import Code
from ledger.vocabulary.words import words
from tools.reference.words import WRITTEN, paragraph, table

RULES = Path(__file__).parent.parent.parent / "docs" / "rules"
HEADING = re.compile(r"^### ([a-z_]+)$", re.MULTILINE)


class Line(NamedTuple):
    """One policy of the rulebook: where it stands, its code, its rule, what the
    rule says, and which commands it looks at.
    """

    stops: bool
    code: Code
    rule: str
    sentence: str
    commands: frozenset[str]


def lines() -> Iterator[Line]:
    """Every policy in order of precedence."""
    for stops, policies in ((True, STOPPERS), (False, JUDGED)):
        for policy, scope in policies:
            looked_at = frozenset(command.__name__ for command in scope)
            yield Line(stops, _code(policy), _rule(policy), _sentence(policy), looked_at)


def codes_judged_for(command: str) -> list[Code]:
    """The codes a command is judged for together, in order of precedence."""
    found = (line.code for line in lines() if not line.stops and command in line.commands)
    return list(dict.fromkeys(found))


@cache
def pages_of_rules() -> dict[str, str]:
    """Rule name → the page under docs/rules that tells it."""
    return {
        rule: path.name
        for path in sorted(RULES.glob("*.md"))
        for rule in HEADING.findall(path.read_text(encoding="utf-8"))
    }


def codes_page() -> str:
    """docs/reference/codes.md."""
    found = list(lines())
    stopping = [line for line in found if line.stops]
    judged = [line for line in found if not line.stops]
    unused = [code for code in Code if code not in {line.code for line in found}]
    return "".join(
        (
            "# Refusal codes\n\n",
            WRITTEN,
            paragraph(
                "A refused command gives one",
                "[`CommandRefused`](events.md#commandrefused) that lists violations, each with its",
                "rule, its code, a sentence and the compared figures. The list is complete.",
            ),
            "## Stoppers\n\n",
            paragraph(
                "Only the first violated one is returned, also for a command that asks for a",
                "quote.",
            ),
            _table(stopping),
            "\n## All others\n\n",
            paragraph(
                "All violated ones are listed, in this order. For a command that asks for a quote",
                "they are listed inside the quote, and the command is not refused.",
            ),
            _table(judged),
            _unused(unused),
        )
    )


def _table(found: list[Line]) -> str:
    rows = [
        (f"`{line.code}`", _linked(line.rule), line.sentence, words()["codes"][line.code])
        for line in found
    ]
    return table(("code", "rule", "what it says", "what to do"), rows)


def _linked(rule: str) -> str:
    page = pages_of_rules().get(rule)
    return f"`{rule}`" if page is None else f"[`{rule}`](../rules/{page}#{rule})"


def _unused(codes: list[Code]) -> str:
    if not codes:
        return ""
    rows = [(f"`{code}`", words()["codes"][code]) for code in codes]
    head = "\n## Not given by this version\n\nTheir commands are not decided yet.\n\n"
    return head + table(("code", "what to do"), rows)


def _code(policy: Callable[..., object]) -> Code:
    """A policy is named for its code; those of states say of what."""
    name = policy.__name__
    return Code.WRONG_STATE if name.startswith("wrong_") else Code(name.upper())


def _rule(policy: Callable[..., object]) -> str:
    module = modules[policy.__module__]
    name = policy.__module__.rpartition(".")[2]
    fallback = "existence_and_state" if name.endswith("_state") else name
    return str(getattr(module, "RULE", fallback))


def _sentence(policy: Callable[..., object]) -> str:
    """The first paragraph of the policy's docstring, without its source."""
    first = cleandoc(policy.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return first.partition(" Source:")[0]

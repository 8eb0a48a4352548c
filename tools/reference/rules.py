"""The page of rules: every rule with its source, its numbers and its codes, from the rulebook."""

from __future__ import annotations

from ledger.rulebook import RULES, Rule
from ledger.rulebook.numbers import numbers
from ledger.terms.table import Terms, released_terms
from tools.reference.codes import pages_of_rules
from tools.reference.words import WRITTEN, paragraph, table


def rules_page() -> str:
    """docs/reference/rules.md."""
    terms = released_terms().versions[-1]
    rows = [_row(rule, terms) for rule in RULES.values()]
    return "".join(
        (
            "# Rules\n\n",
            WRITTEN,
            paragraph(
                "Every rule by its name, as in `refundctl rules`: its kind, the public",
                "document it comes from, its numbers in the released terms of version",
                f"{terms.version}, and the [codes](codes.md) it refuses with. A running ledger may",
                "have other terms; `refundctl rules --terms` shows them.",
            ),
            table(("rule", "kind", "source", "numbers", "codes"), rows),
        )
    )


def _row(rule: Rule, terms: Terms) -> tuple[str, ...]:
    page = pages_of_rules().get(rule.name)
    name = f"`{rule.name}`" if page is None else f"[`{rule.name}`](../rules/{page}#{rule.name})"
    told = "; ".join(
        f"{each} {len(value) if isinstance(value, dict | list) else value}"
        for each, value in numbers(rule, terms).items()
    )
    codes = ", ".join(f"`{code}`" for code in rule.codes)
    return name, ", ".join(rule.kinds), rule.source, told, codes

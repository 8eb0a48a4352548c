"""`refundctl rules`: every rule with its source, its numbers in force and its refusal codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.terminal.errors import BadInput, or_near

if TYPE_CHECKING:
    from rich.table import Table

    from ledger.rulebook import Rule
    from ledger.terms.table import Terms


def rules(
    name: Annotated[
        str | None, typer.Argument(metavar="RULE", help="Only this rule (default: all).")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="INSTANT", help="Use the numbers in force at this instant, not now."
        ),
    ] = None,
    terms: Annotated[
        list[Path] | None, typer.Option("--terms", help="A file with more terms; may be repeated.")
    ] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--diff", metavar="OLD NEW", help="Show the differences between two versions."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per rule.")
    ] = False,
) -> None:
    """List the rules with numbers in force and codes.

    It shows what each rule says, its source, its numbers, and its refusal codes.

    Examples:

      refundctl rules

      refundctl rules refund_cap --at 2026-01-05T08:00:00Z

      refundctl rules --diff 1 2

      refundctl rules --json | jq 'select(.codes | index("WRONG_STATE"))'
    """
    from console.terminal.output import console, json_line, put
    from ledger.rulebook import RULES

    if diff is not None:
        _print_differences(*diff, terms, as_json=as_json)
        return
    chosen = list(RULES.values()) if name is None else [_known(name)]
    in_force = _terms_at(at, terms)
    if as_json:
        for rule in chosen:
            typer.echo(json_line(rule_to_json(rule, in_force)))
    elif name is not None:
        _print_one(chosen[0], in_force)
    else:
        put(console(), _table(chosen, in_force))
        typer.echo(f"terms version {in_force.version}; 'refundctl rules RULE' shows one in full")


def rule_to_json(rule: Rule, terms: Terms) -> dict[str, Any]:
    """A rule as one JSON object."""
    from ledger.rulebook.numbers import numbers

    return {
        "rule": rule.name,
        "kinds": [kind.value for kind in rule.kinds],
        "says": rule.says,
        "source": rule.source,
        "terms_version": terms.version,
        "terms": numbers(rule, terms),
        "codes": [code.value for code in rule.codes],
        "commands": list(rule.commands),
        "homes": list(rule.homes),
    }


def _known(name: str) -> Rule:
    from ledger.rulebook import RULES

    if name not in RULES:
        then = or_near(name, list(RULES), "see all with 'refundctl rules'")
        raise BadInput(f"there is no rule {name!r}{then}")
    return RULES[name]


def _terms_at(at: str | None, files: list[Path] | None) -> Terms:
    from console.running.terms_files import terms_of
    from consumers.clock import WallClock
    from ledger.values.instants import parse_instant

    try:
        instant = WallClock().now() if at is None else parse_instant(at)
    except ValueError as error:
        raise BadInput(f"--at: {error}; write one such as 2026-01-05T08:00:00Z") from error
    return terms_of(files or ()).at(instant)


def _print_differences(old: str, new: str, files: list[Path] | None, *, as_json: bool) -> None:
    """Every number that the newer version changes, with the rules that use it."""
    from console.running.terms_files import terms_of
    from console.terminal.output import json_line
    from ledger.rulebook.numbers import differences

    table = terms_of(files or ())
    try:
        before, after = table.version(old), table.version(new)
    except LookupError as error:
        known = ", ".join(each.version for each in table.versions)
        raise BadInput(f"--diff: {error.args[0]}; it has {known}") from error
    for found in differences(before, after):
        if as_json:
            told = {"name": found.name, "rules": found.rules, old: found.old, new: found.new}
            typer.echo(json_line(told))
        else:
            typer.echo(f"{found.name} ({', '.join(found.rules) or 'the version itself'})")
            for line in _changed(found.old, found.new):
                typer.echo(f"  {line}")


def _changed(old: object, new: object) -> list[str]:
    """One line per change; of a table only the entries that differ."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [f"{_in_full(old)} → {_in_full(new)}"]
    return [
        f"{key}: {old.get(key, 'nothing')} → {new.get(key, 'nothing')}"
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def _table(chosen: list[Rule], terms: Terms) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    for head in ("kind", "source", "numbers in force", "refused with"):
        table.add_column(head)
    for rule in chosen:
        kinds = ", ".join(rule.kinds)
        codes = ", ".join(rule.codes)
        table.add_row(rule.name, kinds, rule.source, _numbers_told(rule, terms), codes)
    return table


def _numbers_told(rule: Rule, terms: Terms) -> str:
    from ledger.rulebook.numbers import numbers

    return ", ".join(f"{name} {_short(value)}" for name, value in numbers(rule, terms).items())


def _short(value: object) -> str:
    if isinstance(value, dict | list):
        return f"({len(value)} of them)"
    return str(value)


def _print_one(rule: Rule, terms: Terms) -> None:
    from ledger.rulebook.numbers import numbers

    commands = ", ".join(rule.commands) or "-"
    typer.echo(f"{rule.name}: {rule.says}")
    typer.echo(f"  kind      {', '.join(rule.kinds)}")
    typer.echo(f"  source    {rule.source}")
    typer.echo(f"  refuses   {', '.join(rule.codes) or 'nothing'}")
    typer.echo(f"  commands  {commands}")
    typer.echo(f"  code      {', '.join(rule.homes)}")
    typer.echo(f"  terms     version {terms.version}")
    for name, value in numbers(rule, terms).items():
        typer.echo(f"    {name} = {_in_full(value)}")


def _in_full(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} → {each}" for key, each in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)

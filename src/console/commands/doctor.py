"""`refundctl doctor`: examines a ledger, and says what each finding means and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from console.doctor.finding import Finding


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine the ledger, and say what to do about each finding.

    It looks at settings, processes, brokers, database, topics, certificates, clocks, disks,
    transactions, lag and deadlines. Every check runs, also while the brokers or the database do not
    answer. Nothing is written. The exit code is 0 if all is fine, 1 if there are warnings, 2 if
    there are errors.

    Examples:

      refundctl doctor

      refundctl doctor --json | jq '.findings[] | select(.severity == "error")'
    """
    from contextlib import ExitStack

    from console.doctor.examining import examined, exit_code
    from console.doctor.patient import Patient
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import json_line

    log_to_stderr("error", json=False)
    with ExitStack() as stack:
        patient = Patient(read_settings(), stack)
        found = []
        for name, finding in examined(patient):
            found.append((name, finding))
            if not as_json:
                typer.echo(in_words(name, finding))
    if as_json:
        typer.echo(json_line(to_json(found)))
    raise typer.Exit(exit_code(found))


def to_json(found: list[tuple[str, Finding]]) -> dict[str, Any]:
    """All findings, and the exit code."""
    from msgspec import to_builtins

    from console.doctor.examining import exit_code

    return {
        "exit_code": exit_code(found),
        "findings": [{"check": name, **to_builtins(finding)} for name, finding in found],
    }


def in_words(name: str, finding: Finding) -> str:
    """A finding for people: the fact, and below it what it means and what to do."""
    lines = [f"{finding.severity:<8} {name:<18} {finding.what}"]
    if finding.means:
        lines += [f"{'':27} it means: {finding.means}", f"{'':27} do: {finding.do}"]
    return "\n".join(lines)

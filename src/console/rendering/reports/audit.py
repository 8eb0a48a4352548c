"""Formats the result of an audit, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from console.rendering.reports.drift import plain, text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ledger.audit import AuditReport, Place
    from projector.reconciling.reconcile import Reconciliation

READ_MODELS = "read_models"
"""The name of the comparison of the read models among the checks."""


class Verified(Struct, frozen=True, kw_only=True):
    """The result of an audit. `log` and `read_models` are None if they were not requested;
    `read_models` is a sentence if they could not be compared. `begun_at` is the place of an earlier
    audit, if this one began there.
    """

    log: AuditReport | None
    read_models: Reconciliation | str | None
    seconds: float
    begun_at: Place | None = None

    @property
    def holds(self) -> bool:
        """Has every check passed?"""
        log_holds = self.log is None or not self.log.divergences
        compared = self.read_models
        if isinstance(compared, str):
            return False
        return log_holds and (compared is None or not compared.divergences)


def verified_to_json(found: Verified) -> dict[str, Any]:
    """An audit as one JSON object."""
    log = found.log
    told: dict[str, Any] = {
        "holds": found.holds,
        "seconds": round(found.seconds, 3),
        "commands": log.commands if log else None,
        "events": log.events if log else None,
        "dead_letters": log.dead_letters if log else None,
        "ordered_by": _ordered_by(log.signed) if log else None,
        "checks": [{"check": name, "holds": holds} for name, holds in _verdicts(found).items()],
        "divergences": _divergences(found),
    }
    if log is not None and found.begun_at is not None:
        told["not_looked_at_again"] = {
            "commands": log.left_out[0],
            "events": log.left_out[1],
            "audited_at": found.begun_at.audited_at,
            "release": found.begun_at.release,
        }
    if found.read_models is not None and not isinstance(found.read_models, str):
        told["read_models"] = {
            "rows": found.read_models.rows,
            "positions": {str(p): offset for p, offset in found.read_models.positions.items()},
        }
    return told


def print_verified(found: Verified, out: Console, *, verbose: bool) -> None:
    """The divergences, in full, and what was left out; with `verbose` the table of checks and what
    was read, too.
    """
    if verbose:
        out.print(verdicts_table(found))
    for each in _divergences(found):
        where = ""
        if "offset" in each:
            where = f" {each['topic']} partition {each['partition']} offset {each['offset']},"
        line = f"{each['check']}:{where} {text(each['key'])}"
        out.print(line.rstrip(), soft_wrap=True, markup=False)
        for name in ("expected", "found"):
            out.print(f"  {name:<9} {text(each[name])}", soft_wrap=True, markup=False)
    if verbose:
        if found.log is not None:
            out.print(who_ordered(found.log.signed), soft_wrap=True, markup=False)
        out.print(what_was_read(found))
    if found.log is not None and found.begun_at is not None:
        out.print(what_was_left_out(found.log, found.begun_at), soft_wrap=True, markup=False)


def _verdicts(found: Verified) -> dict[str, bool]:
    """By the name of each check that ran: has it passed?"""
    verdicts: dict[str, bool] = {}
    if found.log is not None:
        diverged = {each.check for each in found.log.divergences}
        verdicts.update((name, name not in diverged) for name in found.log.checks)
    compared = found.read_models
    if compared is not None:
        verdicts[READ_MODELS] = not isinstance(compared, str) and not compared.divergences
    return verdicts


def _divergences(found: Verified) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    if found.log is not None:
        told += [msgspec.to_builtins(each) for each in found.log.divergences]
    compared = found.read_models
    if isinstance(compared, str):
        expected = "read models of this log"
        told.append({"check": READ_MODELS, "key": "", "expected": expected, "found": compared})
    elif compared is not None:
        for each in compared.divergences:
            key = [each.view, *(str(part) for part in each.key)]
            sides = {"expected": plain(each.expected), "found": plain(each.found)}
            told.append({"check": READ_MODELS, "key": key, **sides})
    return told


def verdicts_table(found: Verified) -> Table:
    """Each check that ran, and whether it passed."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check")
    table.add_column("holds")
    for name, holds in _verdicts(found).items():
        table.add_row(name, "yes" if holds else "NO")
    return table


def who_ordered(signed: Mapping[tuple[str, str], int]) -> str:
    """`ordered by billing/k1: 40 commands; unsigned: 2 commands`."""
    told = [
        f"{'ordered by ' if each['signed'] else 'unsigned'}{name}: {each['commands']} commands"
        for each in _ordered_by(signed)
        for name in ["/".join(filter(None, (each["origin"], each["key"])))]
    ]
    return "; ".join(told) or "nothing was ordered"


def _ordered_by(signed: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Each key of an origin with the decided commands that it signed; unsigned ones come first."""
    return [
        {"origin": origin or None, "key": key or None, "signed": bool(origin), "commands": count}
        for (origin, key), count in signed.items()
    ]


def what_was_read(found: Verified) -> str:
    """`all checks passed: 42 commands, 80 events, …`."""
    log, compared, parts = found.log, found.read_models, list[str]()
    if log is not None:
        parts += [f"{log.commands} commands", f"{log.events} events"]
        parts += [f"{log.dead_letters} dead letters"]
    if compared is not None and not isinstance(compared, str):
        parts.append(f"{compared.rows} rows of read models")
    verdict = "all checks passed" if found.holds else "NOT all checks passed"
    return f"{verdict}: {', '.join(parts)} in {found.seconds:.1f} s"


def what_was_left_out(log: AuditReport, place: Place) -> str:
    """What an audit from a place did not look at again, and why that is no gap."""
    commands, events = log.left_out
    return (
        f"not looked at again: {commands} commands and {events} events of accounts with nothing "
        f"new; their bytes are those that release {place.release} audited at {place.audited_at}"
    )

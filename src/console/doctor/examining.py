"""Runs every check, whatever another one finds."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from console.doctor.checks import CHECKS
from console.doctor.finding import Finding, error, skipped
from console.doctor.patient import Missing, Patient
from console.terminal.errors import BadInput, Failed, first_line
from ledger.log.seam import LogUnavailable, WrongWorld

_EXPECTED = (BadInput, Failed, LogUnavailable, WrongWorld, psycopg.Error, OSError)


def examined(patient: Patient) -> Iterator[tuple[str, Finding]]:
    """Each finding with the name of its check, in order."""
    for check in CHECKS:
        try:
            for finding in check(patient):
                yield check.__name__, finding
        except Missing as part:
            yield check.__name__, skipped(f"not examined without {part}")
        except _EXPECTED as why:
            yield (
                check.__name__,
                error(
                    f"it could not be examined: {first_line(why)}",
                    "whether it is well is not known",
                    "let this user ask for it, and run 'refundctl doctor' again",
                ),
            )


def exit_code(found: list[tuple[str, Finding]]) -> int:
    """That of the most severe finding."""
    return max((finding.severity.exit_code for _, finding in found), default=0)

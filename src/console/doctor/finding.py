"""What a check finds: how severe it is, the fact, what it means, and what to do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How severe a finding is. SKIPPED could not be examined, because of another finding."""

    FINE = "fine"
    SKIPPED = "skipped"
    WARNING = "warning"
    ERROR = "error"

    @property
    def exit_code(self) -> int:
        """0, 1 for a warning, 2 for an error."""
        return {Severity.WARNING: 1, Severity.ERROR: 2}.get(self, 0)


class Finding(Struct, frozen=True, kw_only=True):
    """One fact. What is fine or skipped needs neither meaning nor next step."""

    severity: Severity
    what: str
    means: str = ""
    do: str = ""


def fine(what: str) -> Finding:
    """As it should be."""
    return Finding(severity=Severity.FINE, what=what)


def skipped(what: str) -> Finding:
    """Not examined."""
    return Finding(severity=Severity.SKIPPED, what=what)


def warning(what: str, means: str, do: str) -> Finding:
    """Works, but not for ever."""
    return Finding(severity=Severity.WARNING, what=what, means=means, do=do)


def error(what: str, means: str, do: str) -> Finding:
    """Does not work, or soon will not."""
    return Finding(severity=Severity.ERROR, what=what, means=means, do=do)

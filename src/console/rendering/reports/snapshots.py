"""Formats the result of the check of snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumers.deciding.checking import Finding


def finding_line(found: Finding) -> str:
    """`partition 0: 1,234 entities up to event 567, sound`."""
    verdict = f"WRONG: {found.wrong}" if found.wrong else "sound"
    return (
        f"partition {found.partition}: {found.entities:,} entities up to event "
        f"{found.log_sequence:,}, {verdict}"
    )

"""Formats the result of a rebuild, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.rendering.reports.drift import divergence_lines, divergence_to_json

if TYPE_CHECKING:
    from projector.rebuilding.rebuild import Rebuilt


def rebuilt_to_json(found: Rebuilt) -> dict[str, Any]:
    """A rebuild as one JSON object."""
    compared = found.divergences
    return {
        "views": list(found.views),
        "positions": {str(p): offset for p, offset in found.positions.items()},
        "events": found.events,
        "seconds": round(found.seconds, 3),
        "divergences": None if compared is None else [divergence_to_json(d) for d in compared],
    }


def rebuilt_in_words(found: Rebuilt) -> str:
    """What was rebuilt, how fast, up to which offsets, and whether it equals the old tables."""
    count = len(found.views)
    what = f"{count} views" if count > 1 else f"view {found.views[0]}"
    at = ", ".join(f"{p}:{offset}" for p, offset in found.positions.items())
    rate = f"{found.events / found.seconds:,.0f} events/s" if found.seconds else ""
    lines = [
        f"{what} rebuilt from {found.events:,} events in {found.seconds:.1f} s ({rate}) "
        f"and now in use, at offsets {at}"
    ]
    if found.divergences == ():
        lines.append("identical to the old tables, byte for byte")
    for divergence in found.divergences or ():
        lines += ["differs from the old table:", *divergence_lines(divergence)]
    return "\n".join(lines)

"""The table of origins: whether commands must be proven, and keys that soon end."""

from __future__ import annotations

from collections.abc import Iterator

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient
from console.running.origins.origin_folder import OriginFolder
from ledger.origins.table import Mode, Origin
from ledger.values.instants import DAY, Instant, format_instant

SOON = 30 * DAY


def origins(patient: Patient) -> Iterator[Finding]:
    """An origin whose last key has ended can give no command."""
    table = OriginFolder(patient.settings.origins_folder).history().newest
    proven = table.mode is Mode.REQUIRED
    if proven or patient.on_this_machine:
        yield fine(f"origins are {table.mode}")
    else:
        yield warning(
            f"origins are {table.mode}",
            "whoever may write to the commands topic can order a refund in any role",
            "give each publisher a key, then run 'refundctl origins mode required'",
        )
    for origin in table.origins.values():
        yield from _of(origin, patient.clock.now(), required=proven)


def _of(origin: Origin, now: Instant, *, required: bool) -> Iterator[Finding]:
    ends = [key.valid_until for key in origin.keys.values()]
    if any(end is None for end in ends):
        yield fine(f"origin {origin.name} has a key without an end")
        return
    last = max((end for end in ends if end is not None), default=0)
    what = f"the last key of origin {origin.name} is valid until {format_instant(last)}"
    do = f"'refundctl origins rotate {origin.name}' makes the next one; hand it to the publisher"
    if last <= now:
        means = "its commands are dead letters" if required else "its commands are not proven"
        yield error(what, means, do) if required else warning(what, means, do)
    elif last - now < SOON:
        yield warning(what, "from then on its commands are not taken", do)
    else:
        yield fine(what)

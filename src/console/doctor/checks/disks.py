"""The space that is left for records, state and temporary files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient

LITTLE, ALMOST_NONE = 0.15, 0.05
_GIB = 1024**3


def disks(patient: Patient) -> Iterator[Finding]:
    """Here first, then at each broker."""
    home = patient.settings.home_folder
    for what, folder in (("state", home), ("temporary files", Path(tempfile.gettempdir()))):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        usage = shutil.disk_usage(there)
        yield _judged(f"{folder} ({what})", usage.free, usage.total)
    for disk in patient.brokers.disks():
        where = f"broker {disk.broker}, {disk.folder}"
        yield _judged(where, disk.usable_bytes, disk.total_bytes)


def _judged(where: str, free: int, total: int) -> Finding:
    what = f"{where}: {free / _GIB:.1f} GiB of {total / _GIB:.1f} GiB are free"
    means = "a broker or process whose disk is full stops; the log is kept for ever and grows"
    do = "give it a larger disk; never delete records of the ledger"
    if free < ALMOST_NONE * total:
        return error(what, means, do)
    return warning(what, means, do) if free < LITTLE * total else fine(what)

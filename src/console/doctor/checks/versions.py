"""The versions of the program, of Python and of the client."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import requires, version

from console.doctor.finding import Finding, error, fine
from console.doctor.patient import Patient
from console.terminal.output import version as own_version

CLIENT = "kafka-python"


def versions(_patient: Patient) -> Iterator[Finding]:
    """What is installed here."""
    yield fine(f"refundctl {own_version()} on Python {platform.python_version()}")
    yield from _of_client(version(CLIENT), requires("refund-ledger") or [])


def _of_client(installed: str, required: list[str]) -> Iterator[Finding]:
    """The client was read and tried in exactly one version."""
    wanted = next(each for each in required if each.startswith(f"{CLIENT}=="))
    if wanted == f"{CLIENT}=={installed}":
        yield fine(f"{CLIENT} {installed}")
    else:
        yield error(
            f"{CLIENT} {installed} is installed, but {wanted} is required",
            "its transactions were tried in that version only",
            f"pip install {wanted}",
        )

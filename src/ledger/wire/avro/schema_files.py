"""Finds the Avro schema files: in the installed package, or next to the source tree."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]


class Family(StrEnum):
    """The two parts of the contract, each with its own folder."""

    COMMANDS = "commands"
    EVENTS = "events"


def schema_root(package: Path = _PACKAGE) -> Path:
    """The folder with `commands/` and `events/`.

    A wheel has it as `ledger/_schemas`; an editable install reads `schemas/` of its checkout.
    `package` is the package `ledger`. Raises `FileNotFoundError` if neither exists.
    """
    candidates = (package / "_schemas", package.parent.parent / "schemas")
    for candidate in candidates:
        if (candidate / "commands").is_dir() and (candidate / "events").is_dir():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(
        f"the Avro schemas are neither in {looked}: "
        "reinstall refund-ledger, or run it from a complete checkout"
    )


def schema_file(root: Path, family: Family, name: str, version: int) -> Path:
    """The path of one version of a command's or event's schema, even if it does not exist."""
    return root / family / name / f"{version}.avsc"


def versions_of(root: Path, family: Family, name: str) -> list[int]:
    """The existing versions of a schema, oldest first."""
    return sorted(int(path.stem) for path in (root / family / name).glob("*.avsc"))

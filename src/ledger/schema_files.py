"""Where the Avro schema files are: inside the installed package, or beside the source tree."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def schema_root() -> Path:
    """Return the folder that holds `commands/` and `events/`.

    A wheel carries it as `ledger/_schemas`; an editable install reads `schemas/` of its checkout.
    Raises `FileNotFoundError` when neither is there.
    """
    candidates = (_PACKAGE / "_schemas", _PACKAGE.parent.parent / "schemas")
    for candidate in candidates:
        if (candidate / "commands").is_dir() and (candidate / "events").is_dir():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(
        f"the Avro schemas are neither in {looked}: "
        "reinstall refund-ledger, or run it from a complete checkout"
    )

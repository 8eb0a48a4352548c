"""Names the extra of this package that installs a missing module."""

from __future__ import annotations

import re
from importlib.metadata import requires

_OF_AN_EXTRA = re.compile(r"""([\w.-]+).*;.*extra == ["']([\w-]+)["']""")


def missing_extra(module: str) -> str | None:
    """Which module is missing, and the command that installs it; None if no extra has it.

    `psutil` is of the extra `embedded`, as the package's own metadata say.
    """
    wanted = _canonical(module)
    for line in requires("refund-ledger") or ():
        found = _OF_AN_EXTRA.fullmatch(line)
        if found and _begins(_canonical(found[1]), wanted):
            return _sentence(module, found[2])
    return None


def _sentence(module: str, extra: str) -> str:
    said = f"this needs {module}, which is not installed: pip install 'refund-ledger[{extra}]'"
    if extra == "embedded":
        said += ", or set KAFKA_BOOTSTRAP and DATABASE_URL to a broker and a database of your own"
    return said


def _begins(distribution: str, module: str) -> bool:
    """A module may be a part of its distribution's name, as `opentelemetry` is."""
    return f"{distribution}-".startswith(f"{module}-")


def _canonical(name: str) -> str:
    return re.sub(r"[._]", "-", name.partition(".")[0]).lower()

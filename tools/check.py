"""Runs every check of the house in order, says which one it is at, and sums up at the end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tools.program import arguments

BIN = Path(sys.executable).parent
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("imports", ("lint-imports",)),
    ("marks", ("python", "-m", "tools.marks")),
    ("unused", ("python", "-m", "tools.unused")),
    ("docs", ("python", "-m", "tools.docs", "--check")),
    ("fast tests", ("pytest", "-q", "-m", "not integration and not slow")),
)


def main() -> int:
    """Run all steps, also after a failure; return 1 when any failed."""
    failed = [name for name, command in STEPS if not passes(name, command)]
    if failed:
        print(f"check: {len(failed)} of {len(STEPS)} failed: {', '.join(failed)}")
        return 1
    print(f"check: all {len(STEPS)} passed")
    return 0


def passes(name: str, command: tuple[str, ...]) -> bool:
    """Run one step; print its time and last line, or all it said when it failed."""
    print(f"{name:<12}", end="", flush=True)
    started = time.monotonic()
    run = subprocess.run(
        [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    last = lines[-1].strip("= ") if lines else ""
    if run.returncode == 0:
        print(f"ok   {seconds:5.1f} s  {last}")
        return True
    print(f"FAIL {seconds:5.1f} s  {' '.join(command)}")
    print("\n".join(f"    {line}" for line in lines))
    return False


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

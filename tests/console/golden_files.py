"""What commands print of the examples; `python -m tests.console.golden_files` writes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.console import eligible
from tools.program import arguments

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = Path(__file__).parent / "golden"
ELIGIBLE = FOLDER.parent / "commands" / "eligible.txt"
"""What may be done at the end of `45-what-may-be-done.jsonl`."""


def example_files() -> list[Path]:
    """Every file of commands with instants, in the order in which a sandbox can take them."""
    return sorted(EXAMPLES.glob("*.jsonl"), key=lambda example: instants_of(example)[0])


def golden_of(example: Path) -> Path:
    """Where the events of an example stand."""
    return FOLDER / example.name


def instants_of(example: Path) -> list[str]:
    """The instants of an example's lines."""
    return [json.loads(line)["at"] for line in example.read_text("utf-8").splitlines()]


def write() -> None:
    """Write what the program prints today; look at the difference before you commit it."""
    FOLDER.mkdir(exist_ok=True)
    for example in example_files():
        words = [sys.executable, "-m", "console.main", "simulate", str(example)]
        printed = subprocess.run(words, check=True, capture_output=True).stdout
        golden_of(example).write_bytes(printed)
    ELIGIBLE.write_text(eligible.told(EXAMPLES / eligible.EXAMPLE), encoding="utf-8")


if __name__ == "__main__":
    arguments(__doc__)
    write()
    sys.stdout.write(f"wrote {FOLDER}\n")

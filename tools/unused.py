"""Looks for code that nothing uses, and for lines that stand twice; fails where there is any.

What only looks unused is in `tools/unused_allowed.py`, each with its reason; what a template of a
page names is used.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from jinja2 import Environment, nodes

from tools.program import arguments

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
TWIN_LINES = 9
"""So many equal lines in two files are too many. Docstrings, comments, imports and signatures do
not count.
"""


def main() -> int:
    """Print what is unused or stands twice in src; return 1 when there is anything."""
    found = [*unused(ROOT / "src"), *twins(ROOT / "src")]
    for fault in found:
        print(fault)
    if not found:
        print("nothing unused, no twins")
    return 1 if found else 0


def unused(source: Path) -> list[str]:
    """What vulture finds below a folder that no allowance names."""
    allowed, routes = ROOT / "tools" / "unused_allowed.py", "@router.*,@app.*"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as named:
        named.writelines(f"_.{name}\n" for name in sorted(_named_in_templates(source)))
        named.flush()
        command = (BIN / "vulture", "--ignore-decorators", routes, source, allowed, named.name)
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in {0, 3}, run.stderr
    return run.stdout.splitlines()


def _named_in_templates(source: Path) -> set[str]:
    """The attributes that the templates below a folder read."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    return {
        each.attr
        for path in source.rglob("*.html")
        for each in environment.parse(path.read_text("utf-8")).find_all(nodes.Getattr)
    }


def twins(source: Path) -> list[str]:
    """The runs of equal lines that symilar finds in two files below a folder."""
    ignored = ("comments", "docstrings", "imports", "signatures")
    options = ("-d", str(TWIN_LINES - 1), *(f"--ignore-{each}" for each in ignored))
    files = map(str, sorted(source.rglob("*.py")))
    command = (str(BIN / "symilar"), *options, *files)
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "TOTAL lines=" in run.stdout, run.stdout
    *found, _ = run.stdout.strip().splitlines()
    return found


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

"""Writes the generated pages under docs/, and checks that they and all links are current."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.reference import reference_pages

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def main(*, check: bool) -> int:
    """Write the pages, or with --check only compare; return 1 when something is wrong."""
    faults = list(stale_pages() if check else write_pages())
    faults += dead_links(markdown_files())
    print("\n".join(faults) if faults else f"{len(list(markdown_files()))} pages are current")
    return 1 if faults else 0


def generated_pages() -> dict[Path, str]:
    """Every generated page and the text it should have."""
    return {DECISIONS / "README.md": decision_index(), **reference_pages()}


def write_pages() -> Iterator[str]:
    """Write every generated page; there is never a fault."""
    for path, text in generated_pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    yield from ()


def stale_pages() -> Iterator[str]:
    """Name every generated page that differs from what would be written."""
    for path, text in generated_pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)}: is not what its sources say; run `make docs`"


def decision_index() -> str:
    """Build the list of decision records from their titles and status lines."""
    rows = []
    for path in sorted(DECISIONS.glob("[0-9][0-9][0-9][0-9]-*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        title = lines[0].removeprefix("# ")
        status = next(line.removeprefix("Status: ") for line in lines if line.startswith("Status:"))
        rows.append(f"| [{path.stem[:4]}]({path.name}) | {title} | {status} |")
    head = (
        "# Decisions\n\nOne record per hard choice, numbered in order and never rewritten: a choice"
        "\nthat no longer holds is superseded by a later record. Start from"
        "\n[the template](template.md). This list is written by `make docs`.\n"
    )
    return head + "\n| no | decision | status |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def markdown_files() -> Iterator[Path]:
    """Every page of ours: the root's and those under docs/."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


def dead_links(pages: Iterable[Path]) -> Iterator[str]:
    """Name every relative link that leads to no file."""
    for page in pages:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in LINK.findall(text):
            place = target.partition("#")[0]
            if place and "://" not in place and not (page.parent / place).exists():
                yield f"{os.path.relpath(page, ROOT)}: links to {target}, which does not exist"


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    sys.exit(main(check=parser.parse_args().check))

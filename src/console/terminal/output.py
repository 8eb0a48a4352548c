"""Output of all commands: JSON, the version, text for people."""

from __future__ import annotations

import codecs
import json
import sys
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType


def version() -> str:
    """The program's version."""
    return installed_version("refund-ledger")


def json_line(value: Any) -> str:
    """A value as JSON on one line; in a locale other than UTF-8 it is JSON too, in ASCII."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return json.dumps(value, ensure_ascii=codecs.lookup(encoding).name != "utf-8")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that gets its name when it is complete; nothing is left of one that is not."""
    from projector.exports.writing import whole

    with whole(path) as part:
        part.write_bytes(content)


def console(*, stderr: bool = False) -> Console:
    """A Rich console; on a pipe it has no colours and does not wrap lines."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=200)


def put(out: Console, *what: RenderableType) -> None:
    """Print as Rich formats it, without trailing blanks."""
    with out.capture() as laid_out:
        out.print(*what)
    text = laid_out.get()
    lines = [line.rstrip(" ") for line in text.split("\n")]
    out.file.write("\n".join(lines))
    out.file.flush()

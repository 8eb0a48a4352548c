"""Measures the source against the house's marks: sentences, lengths of functions and of files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tools.program import arguments

ROOT = Path(__file__).parent.parent
FILE_LINES = 400
FUNCTION_LINES = 50
MEDIAN_FILE_LINES = 80
MEDIAN_FUNCTION_LINES = 10
SIBLINGS = 14
OF_ONE_SHAPE = {
    "audit/checks": "a check a file",
    "calculations": "a calculation a file",
    "console/commands": "a command a file",
    "migrations": "a step a file",
    "policies": "a rule a file",
    "projector/finance": "a query a file",
    "reactions": "a duty a file",
    "views": "a read model a file",
    "vocabulary/events": "a family a file",
}
"""Folders that may have any number of files, since all of them have one shape; and which."""


class Function(NamedTuple):
    """A function or method: where it is and how many lines its body takes; signature and docstring
    are left out.
    """

    path: Path
    line: int
    name: str
    lines: int


class Module(NamedTuple):
    """A source file: its lines, its opening docstring and its functions."""

    path: Path
    lines: int
    sentence: str
    functions: tuple[Function, ...]


def main() -> int:
    """Print faults and figures for src; return 1 when there is a fault."""
    modules = [measure(path) for path in sorted((ROOT / "src").rglob("*.py"))]
    found = [*faults(modules), *crowded(ROOT / "src")]
    for fault in found:
        print(fault)
    print(figures(modules))
    return 1 if found else 0


def measure(path: Path) -> Module:
    """Parse one file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = tuple(
        Function(path, node.lineno, node.name, body_lines(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return Module(path, len(text.splitlines()), ast.get_docstring(tree) or "", functions)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from behind the signature to the end, without the docstring's own lines."""
    first = function.body[0]
    total = (function.end_lineno or function.lineno) - first.lineno + 1
    if ast.get_docstring(function) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def crowded(source: Path) -> Iterator[str]:
    """Folders with more files and folders side by side than one can take in."""
    for folder in sorted({path.parent for path in source.rglob("*.py")}):
        beside = [path for path in folder.iterdir() if path.stem not in _NOT_COUNTED]
        of_one_shape = folder.as_posix().endswith(tuple(f"/{each}" for each in OF_ONE_SHAPE))
        if len(beside) > SIBLINGS and not of_one_shape:
            yield f"{folder}: {len(beside)} files side by side, at most {SIBLINGS}; make folders"


_NOT_COUNTED = ("__init__", "__pycache__", "py")
"""Package files, caches and the marker of typed packages."""


def faults(modules: list[Module]) -> Iterator[str]:
    """Name whatever misses a mark."""
    for module in modules:
        if not module.sentence.split("\n\n")[0].rstrip().endswith((".", "?")):
            yield f"{module.path}:1: opens with no sentence; say the module's job in one"
        if module.lines > FILE_LINES:
            yield f"{module.path}: {module.lines} lines, at most {FILE_LINES}; split it by job"
        for function in module.functions:
            if function.lines > FUNCTION_LINES:
                yield (
                    f"{function.path}:{function.line}: {function.name} has {function.lines} lines, "
                    f"at most {FUNCTION_LINES}; give its parts names"
                )
    file_median, function_median = medians(modules)
    if file_median > MEDIAN_FILE_LINES:
        yield f"the median file has {file_median:g} lines, at most {MEDIAN_FILE_LINES}"
    if function_median > MEDIAN_FUNCTION_LINES:
        yield f"the median function has {function_median:g} lines, at most {MEDIAN_FUNCTION_LINES}"


def medians(modules: list[Module]) -> tuple[float, float]:
    """The median lines of files and of functions; 0 where there are none."""
    files = [module.lines for module in modules]
    functions = [function.lines for module in modules for function in module.functions]
    return median(files or [0]), median(functions or [0])


def figures(modules: list[Module]) -> str:
    """One line that sums up."""
    functions = [function.lines for module in modules for function in module.functions]
    file_median, function_median = medians(modules)
    return (
        f"{len(modules)} files, median {file_median:g} lines, "
        f"longest {max((module.lines for module in modules), default=0)}; "
        f"{len(functions)} functions, median {function_median:g}, "
        f"longest {max(functions, default=0)}"
    )


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

"""Gives a program its `--help`, which is its docstring, and has it refuse unknown arguments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter


def arguments(doc: str | None, *names: str) -> Namespace:
    """What the program was called with: one text for each of the names. It ends here on `--help`,
    and with exit code 2 where the arguments are others.
    """
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    for name in names:
        parser.add_argument(name)
    return parser.parse_args()

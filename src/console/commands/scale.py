"""`refundctl scale`: sets how many processes share the partitions of a running stack."""

from __future__ import annotations

from typing import Annotated

import typer

from console.running.process_counts import SHARED
from console.running.stack_plan import scaled
from console.terminal.errors import BadInput


def scale(
    wanted: Annotated[
        list[str],
        typer.Argument(metavar="PROCESS=COUNT...", help="For example decider=3 reactions=2."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Set how many deciders or reactors share the work.

    New processes are started, or surplus ones are stopped cleanly; the partitions and their state
    move between them. The command returns when each process has its partitions. Later starts use
    the same numbers.

    Examples:

      refundctl scale decider=3

      refundctl scale decider=1 reactions=1
    """
    from console.rendering.reports.stack import print_status, status_to_json
    from console.running.ledger_locator import running_in
    from console.running.settings import read_settings
    from console.terminal.output import json_line
    from devstack import follow_plan, status
    from devstack.status import read_launch

    counts = dict(_count(text) for text in wanted)
    home = read_settings().home_folder
    running_in(status(home))
    launch = read_launch(home)
    assert launch is not None, "a stack that runs was launched"
    seen = follow_plan(home, *scaled(launch.plan, counts))
    if as_json:
        typer.echo(json_line(status_to_json(seen)))
    else:
        print_status(seen, positions=False)


def _count(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in SHARED or not (count.isascii() and count.isdecimal()):
        raise BadInput(f"{text!r}: write {' or '.join(f'{each}=2' for each in SHARED)}")
    return name, int(count)

"""`refundctl clock`: shows and advances the clock of a sandbox."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from console.terminal.errors import BadInput
from console.terminal.help import HeadedCommands
from ledger.values.instants import (
    DAY,
    HOUR,
    LATEST,
    MINUTE,
    SECOND,
    Instant,
    format_instant,
    parse_instant,
)

clock = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Show or advance a sandbox's clock.",
    rich_markup_mode=None,
)

_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_DURATION = re.compile(r"(?:\d+[dhms])+", re.ASCII)


@clock.command()
def show() -> None:
    """Print the current instant of the sandbox."""
    from console.submitting.running_sandbox import sandbox

    with sandbox() as found:
        typer.echo(format_instant(found.world.now()))


@clock.command()
def advance(
    duration: Annotated[str, typer.Argument(help="For example 7d, 2h30m or 90s.")],
) -> None:
    """Advance the clock by a duration.

    Every deadline in between takes effect at its own instant.

    Examples:

      refundctl clock advance 7d

      refundctl clock advance 2h30m
    """
    from console.submitting.running_sandbox import let_pass, sandbox

    span = parse_duration(duration)
    with sandbox() as found:
        let_pass(found, _in_range(found.world.now() + span, duration))


@clock.command(name="set")
def set_to(
    instant: Annotated[
        str, typer.Argument(help="For example 2026-01-05T08:00:00Z; not in the past.")
    ],
) -> None:
    """Advance the clock to an instant.

    Example:

      refundctl clock set 2026-02-01T00:00:00Z
    """
    from console.submitting.running_sandbox import let_pass, sandbox

    try:
        target = parse_instant(instant)
    except ValueError as error:
        raise BadInput(f"{error}; write one such as 2026-01-05T08:00:00Z") from error
    with sandbox() as found:
        now = found.world.now()
        if target < now:
            raise BadInput(
                f"the sandbox stands at {format_instant(now)}, and its time never goes back to "
                f"{instant}; give a later instant"
            )
        let_pass(found, target)


def parse_duration(text: str) -> int:
    """`2h30m` → micros. Raises BadInput."""
    if not _DURATION.fullmatch(text):
        raise BadInput(f"{text!r} is not a duration; write one such as 7d, 2h30m or 90s")
    return sum(int(each[:-1]) * _UNITS[each[-1]] for each in re.findall(r"\d+[dhms]", text))


def _in_range(target: Instant, duration: str) -> Instant:
    if target > LATEST:
        raise BadInput(f"{duration} from now is after the year 9999; give a shorter duration")
    return target

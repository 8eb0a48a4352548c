"""A progress bar: how much is done, the rate per second, the remaining time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Told(Protocol):
    """Progress of a task: `done` of `total`, and the `events` of this run."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...

    @property
    def events(self) -> int: ...


class Teller(Protocol):
    """Receives the progress of a task."""

    def __call__(self, told: Told, /) -> None: ...


@contextmanager
def bar(what: str, unit: str) -> Iterator[Teller]:
    """A bar on the terminal's stderr. Work of earlier runs is done, but not in the rate."""
    from console.terminal.output import console

    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda _: None
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=out, transient=True) as shown:
        task = shown.add_task(what, total=None, rate="")
        begun = False

        def tell(told: Told) -> None:
            nonlocal begun
            if not begun:
                shown.reset(task, total=told.total, completed=told.done, rate="")
                begun = True
            elapsed = shown.tasks[0].elapsed
            rate = f"{told.events / elapsed:,.0f} {unit}/s" if elapsed and told.events else ""
            shown.update(task, total=told.total, completed=told.done, rate=rate)

        yield tell

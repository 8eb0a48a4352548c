"""Runs many seeds, or one with its trace, or hunts the planted bugs; says what it saw."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.seeds import Figures, Lived, live
from tools.program import arguments

CHUNK = 10
MOST_SEEDS_FOR_A_MUTANT = 600


class Settings(NamedTuple):
    """What to run, as the variables of `make simulate` say it."""

    seeds: int
    first: int
    jobs: int


def settings_of(variables: dict[str, str]) -> Settings:
    """SEEDS, FROM (the first of them) and JOBS; ValueError names what is no number."""
    return Settings(
        seeds=int(variables.get("SEEDS") or 500),
        first=int(variables.get("FROM") or 0),
        jobs=int(variables.get("JOBS") or 1),
    )


def main() -> int:
    """SEED: one with its trace. MUTANTS: the planted bugs. Else: SEEDS of them."""
    console = Console(highlight=False)
    if seed := os.environ.get("SEED"):
        return replay(console, int(seed))
    settings = settings_of(dict(os.environ))
    if os.environ.get("MUTANTS"):
        return hunt_all(console, settings)
    return simulate(console, settings)


def replay(console: Console, seed: int) -> int:
    """One seed with every step of every process; then what it had in it."""
    lived = live(seed, trace=console.out)
    tell(console, lived.figures, 0.0)
    for violation in lived.violations:
        console.out(f"seed {seed}: {violation}")
    if not lived.violations:
        console.out(f"seed {seed}: sound")
    return 1 if lived.violations else 0


def simulate(console: Console, settings: Settings) -> int:
    """Many seeds, on several processes. Ctrl-C tells what was done so far."""
    figures, failed = Figures(), 0
    started = time.monotonic()
    with _progress(console) as progress:
        task = progress.add_task("seeds", total=settings.seeds)
        try:
            for lived in _all(settings):
                figures.add(lived.figures)
                if lived.violations:
                    failed += 1
                    tell_failure(progress.console, lived)
                progress.advance(task)
                if not console.is_terminal and figures.seeds % 1_000 == 0:
                    console.out(f"{figures.seeds:,} seeds, {failed} with a violation")
        except KeyboardInterrupt:
            progress.console.out("interrupted; so far:")
    tell(console, figures, time.monotonic() - started)
    console.out(f"{failed} of {figures.seeds} seeds with a violation")
    return 1 if failed or figures.seeds < settings.seeds else 0


def tell_failure(console: Console, lived: Lived) -> None:
    """What was wrong, and how to see it again."""
    console.out(f"seed {lived.seed}: {lived.violations[0][:1_000]}")
    console.out(f"  replay it with: make simulate SEED={lived.seed}")


def tell(console: Console, figures: Figures, seconds: float) -> None:
    """The figures, one line each."""
    rate = f", {figures.seeds / seconds:.1f} a second" if seconds else ""
    console.out(f"seeds        {figures.seeds:>12,}{rate}")
    for name in Figures.__struct_fields__:
        if name not in {"seeds", "faults"}:
            console.out(f"{name.replace('_', ' '):<12} {getattr(figures, name):>12,}")
    console.out(f"faults       {sum(figures.faults.values()):>12,}")
    for kind, count in sorted(figures.faults.items()):
        console.out(f"  {kind:<28} {count:>10,}")


def hunt(mutant: Mutant, first: int, most: int) -> tuple[int, str] | None:
    """The first seed from `first` on that finds the bug, and what it says; None after `most`."""
    for seed in range(first, first + most):
        lived = live(seed, mutant)
        if lived.violations:
            return seed, lived.violations[0]
    return None


def hunt_all(console: Console, settings: Settings) -> int:
    """Every planted bug, each until a seed finds it."""
    most = settings.seeds if os.environ.get("SEEDS") else MOST_SEEDS_FOR_A_MUTANT
    survived = 0
    for mutant in MUTANTS:
        found = hunt(mutant, settings.first, most)
        if found is None:
            survived += 1
            console.out(f"SURVIVED {most} seeds  {mutant.name}: {mutant.rule}")
        else:
            needed = found[0] - settings.first + 1
            console.out(f"found by seed {found[0]:>4} ({needed:>4} needed)  {mutant.name}")
            console.out(f"    {found[1][:150]}")
    console.out(f"{len(MUTANTS) - survived} of {len(MUTANTS)} planted bugs found")
    return 1 if survived else 0


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _all(settings: Settings) -> Iterator[Lived]:
    seeds = range(settings.first, settings.first + settings.seeds)
    if settings.jobs == 1:
        yield from map(live, seeds)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(settings.jobs, maxtasksperchild=200) as pool:
        numbers = iter(seeds)
        chunks = iter(lambda: tuple(islice(numbers, CHUNK)), ())
        for lived in pool.imap_unordered(_live_some, chunks):
            yield from lived


def _live_some(seeds: tuple[int, ...]) -> list[Lived]:
    return [live(seed) for seed in seeds]


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())

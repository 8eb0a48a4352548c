"""Writes docs/explanation/performance.md and its pictures from the files in benchmarks/results.

Run it as `python -m benchmarks.page` after measuring. A picture is left out where its file is
missing. The pictures are SVG, and the same results give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.kit import RESULTS, ROOT
from tools.program import arguments

SLOWEST = 20
FOLDER = ROOT / "docs" / "explanation"
PAGE, PICTURES = FOLDER / "performance.md", FOLDER / "performance"
HEAD = """# Performance

This page is written by `python -m benchmarks.page` from [the results](../../benchmarks/results);
do not edit it. Each result names its machine, its commit and its settings. Rates on a shared
machine say little: compare them within one picture. Processor time is that of the process itself.

"""


AUDIT = """## Where the time of an audit goes

101,538 events and 86,150 commands, all checks, one process, commit `7446d5f`, processor seconds:

| part | s |
|---|---:|
| judging every command again (`same_verdict`) | 3.5 |
| reading and decoding, values of commands checked | 2.7 |
| the other checks of accounts | 1.3 |
| the checks in the order of the log | 1.0 |
| the file with the slices of accounts | 0.8 |

That is 2.25 times the rate of commit `c62d8f2`, measured by turns in one run. Five times would
leave 4.3 s. Of judging, 2.6 s are the decider's own function: a recorded order takes 16 µs, a
return 70 µs, over some forty functions, none of which has a tenth of it. So five times cannot be
had in Python in one process while every command is judged again. It would take a compiled decider;
or an audit that begins at [a place](../how-to/reconcile.md) and judges only what is new.

"""


STACK = """## Where the time of a command goes

At 5,666 commands a second (520,200 at once) two processors have 353 µs for each command. The
decider takes 128 of them, PostgreSQL 46, the projector 45, the reactions and deadlines 43, the
broker 18: 280 together. The rest is the program that publishes, and waiting.

By turns with commit `c62d8f2` that is 1.5 to 1.8 times its rate. Twice would leave about 230 µs for
all. The whole decider takes not much more than what is missing. It would take fewer rows in the
database for each event, or another language for the decider; or more processors: on a machine where
PostgreSQL, the broker and each process have a processor of their own, the decider alone is the
limit, at some 8,000 commands a second for each decider.

At half of the capacity a command is shown after some 115 ms, where 50 were wanted: 6 until the
broker has it, 79 until its events are committed, 26 until they are shown. (A stage is known to 20
ms.) Transactions are small then, and a request costs nearly the same for twenty events as for a
thousand. So a command takes 540 µs of all processes instead of 280, 124 of them of the broker, and
with the program that measures, two processors are busy nine tenths of the time: half of the rate is
not half of the machine. An idle stack shows a command after 16 ms. It would take more processors,
or fewer transactions: one for all partitions of a decider, which would then wait for each other.

"""


class Bars(NamedTuple):
    """A picture: a title, the unit, and for each label one value for each series."""

    title: str
    unit: str
    series: tuple[str, ...]
    rows: list[tuple[str, tuple[float, ...]]]


def whole(figures: Any) -> list[Bars]:
    """Rates by the number of commands that were published at once."""
    runs = figures["runs"]
    rows = [(f"{run['commands']:,}", (run["decided"], run["shown"])) for run in runs]
    names = sorted(runs[-1]["microseconds"])
    spent = [(name, (runs[-1]["microseconds"][name],)) for name in names]
    peaks = [(name, (runs[-1]["peak_megabytes"][name],)) for name in names]
    return [
        Bars("Commands published at once", "a second", ("decided", "shown"), rows),
        Bars("Processor time of each process", "µs a command", ("",), spent),
        Bars("Most memory of each process", "MB", ("",), peaks),
    ]


def against(figures: Any) -> list[Bars]:
    """The rates of two commits, by turns."""
    rows = [
        (f"{run['commands']:,}", (old["decided"], run["decided"]))
        for run, old in zip(figures["runs"], figures["before"], strict=True)
    ]
    return [Bars("Decided, by turns", "a second", ("before", "now"), rows)]


def latency(figures: Any) -> list[Bars]:
    """From due to shown, by share of the capacity; its stages, and what each process takes."""
    first = figures["rates"][0]

    def rows(figure: str) -> list[tuple[str, tuple[float, ...]]]:
        return [
            (f"{one['share']:.0%}: {one['rate']:.0f} a second", tuple(one[figure].values()))
            for one in figures["rates"]
        ]

    percentiles = tuple(f"p{name}" for name in first["percentiles"])
    return [
        Bars("From published to shown", "ms", percentiles, rows("percentiles")),
        Bars("Its stages, medians", "ms", tuple(first["stages"]), rows("stages")),
        Bars("Processor time at that rate", "µs a command", tuple(first["used"]), rows("used")),
    ]


def partitions(figures: Any) -> list[Bars]:
    """One decider with few and many partitions."""
    stacks = figures["stacks"]
    rates = [(str(one["partitions"]), (one["at_once"]["decided"],)) for one in stacks]
    waits = [
        (
            str(one["partitions"]),
            tuple(one["singles"]["percentiles"][name] for name in ("50", "99")),
        )
        for one in stacks
    ]
    return [
        Bars("One decider, by partitions", "commands a second", ("",), rates),
        Bars("Single commands, by partitions", "ms", ("p50", "p99"), waits),
    ]


def scale(figures: Any) -> list[Bars]:
    """Several deciders on the same partitions."""
    runs = figures["runs"]
    rows = [(f"{run['deciders']} deciders", (run["microseconds"],)) for run in runs]
    return [Bars("All deciders together", "µs of processor a command", ("",), rows)]


def disk(figures: Any) -> list[Bars]:
    """Bytes of an event, by where they are."""
    rows = [(name, (size,)) for name, size in figures.items() if size]
    return [Bars("On disk", "bytes an event", ("",), rows)]


def restore(figures: Any) -> list[Bars]:
    """A start without the own file, by events."""
    rows = [
        (f"{int(events):,} events", (one["snapshot"]["processor_s"], one["snapshot"]["clock_s"]))
        for events, one in figures.items()
        if events.isdecimal()
    ]
    return [Bars("From a snapshot to the first decisions", "s", ("processor", "clock"), rows)]


def accounts(figures: Any) -> list[Bars]:
    """The decider by number of accounts."""
    rows = [
        (f"{int(number):,} accounts", (one["microseconds"],)) for number, one in figures.items()
    ]
    peaks = [
        (f"{int(number):,} accounts", (one["peak_megabytes"],)) for number, one in figures.items()
    ]
    return [
        Bars("The decider, by accounts", "µs a command", ("",), rows),
        Bars("The decider's memory, by accounts", "MB", ("",), peaks),
    ]


def growth(figures: Any) -> list[Bars]:
    """One account with many refunds, one ledger with many events."""
    hot, events = figures["hot"], figures["events"]
    refunds = [("the first thousand", (hot["first"],)), ("the last thousand", (hot["last"],))]
    millions = [(f"million {at}", (each,)) for at, each in enumerate(events["later"], start=2)]
    early = ("10,000 to 100,000", (events["early"],))
    return [
        Bars("A refund of one account with many", "µs", ("",), refunds),
        Bars("An event of a ledger with many", "µs", ("",), [early, *millions]),
    ]


def signing(figures: Any) -> list[Bars]:
    """What signatures cost the decider."""
    rows = [(name, (one["microseconds"],)) for name, one in figures["decider"].items()]
    return [Bars("The decider with signed commands", "µs a command", ("",), rows)]


def pages(figures: Any) -> list[Bars]:
    """How long the pages took, for one person and for many at once."""
    slowest = sorted(figures["routes"], key=itemgetter("p99"), reverse=True)[:SLOWEST]
    rows = [(one["route"], (one["p50"], one["p99"])) for one in slowest]
    read = [(f"{one['pages']:,} pages", (one["p50"], one["p95"])) for one in figures["loads"][1::2]]
    spent = [
        ("with readers" if one["pages"] else "without", (one["decider_microseconds"],))
        for one in figures["loads"]
    ]
    return [
        Bars("The slowest pages, for one person", "ms", ("p50", "p99"), rows),
        Bars("Pages, while many read", "ms", ("p50", "p95"), read),
        Bars("The decider meanwhile", "µs a command", ("",), spent),
    ]


def memory(figures: Any) -> list[Bars]:
    """The most memory of each process that reads the whole log."""
    peaks = [(name, (one["peak_megabytes"],)) for name, one in figures.items()]
    return [Bars("Most memory", "MB", ("",), peaks)]


SECTIONS: tuple[tuple[str, str, Callable[[Any], list[Bars]]], ...] = (
    ("The whole stack", "whole", whole),
    ("Beside an earlier commit", "against", against),
    ("Latency", "latency", latency),
    ("Many partitions", "partitions", partitions),
    ("Several deciders", "scale", scale),
    ("A start on an empty machine", "restore", restore),
    ("Many accounts", "accounts", accounts),
    ("A long life", "growth", growth),
    ("Signed commands", "signing", signing),
    ("Disk", "disk", disk),
    ("Pages of a large ledger", "pages", pages),
    ("Processes that read the whole log", "memory", memory),
)


def main() -> None:
    """Write the page and every picture whose results are there."""
    PICTURES.mkdir(exist_ok=True)
    parts = [HEAD]
    for title, name, bars_of in SECTIONS:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        told = json.loads(path.read_text())
        parts.append(f"## {title}\n\n{_source(told, path)}\n")
        for number, bars in enumerate(bars_of(told["figures"]), start=1):
            picture = PICTURES / f"{name}-{number}.svg"
            _draw(bars, picture)
            parts.append(f"\n![{bars.title}]({picture.relative_to(FOLDER)})\n\n{_table(bars)}")
        parts.append("\n")
    parts.append(STACK + AUDIT)
    PAGE.write_text("".join(parts).rstrip() + "\n")
    print(f"wrote {PAGE.relative_to(ROOT)}")


def _source(told: Any, path: Path) -> str:
    machine = told["machine"]
    return (
        f"[{path.name}](../../benchmarks/results/{path.name}): commit `{told['commit']}`, "
        f"{machine['processors']} processors ({machine['processor']}), load {machine['load']} at "
        "the end.\n"
    )


def _table(bars: Bars) -> str:
    names = [f"{name} ({bars.unit})" if name else bars.unit for name in bars.series]
    head = f"| {bars.title} | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n"
    rows = (
        f"| {label} | {' | '.join(f'{value:,g}' for value in values)} |\n"
        for label, values in bars.rows
    )
    return head + "".join(rows)


def _draw(bars: Bars, path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7, 0.6 + 0.35 * len(bars.rows) * max(1, len(bars.series) * 0.7)))
        axes = figure.subplots()
        thick = 0.8 / len(bars.series)
        for number, name in enumerate(bars.series):
            at = [place + number * thick for place in range(len(bars.rows))]
            drawn = axes.barh(at, [row[1][number] for row in bars.rows], thick, label=name)
            axes.bar_label(drawn, fmt="{:,g}", padding=3)
        middle = 0.4 - thick / 2
        axes.set_yticks([place + middle for place in range(len(bars.rows))], _labels(bars.rows))
        axes.invert_yaxis()
        axes.set_xlabel(bars.unit)
        axes.margins(x=0.15)
        if len(bars.series) > 1:
            axes.legend()
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _labels(rows: Sequence[tuple[str, tuple[float, ...]]]) -> list[str]:
    return [label for label, _ in rows]


if __name__ == "__main__":
    arguments(__doc__)
    main()

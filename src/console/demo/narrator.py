"""Prints the demonstration: headings, explanations, commands, and the ledger's answers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from console.demo.scene import Beat
from console.rendering.sentences.events import sentence
from console.rendering.sentences.words import figures_told, money, quote_told, refused_because, when
from console.terminal.output import put
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    CommandRefused,
    InstanceDowngradeQuoted,
    InstanceReturnQuoted,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from ledger.vocabulary.shapes import WorkingStep
from ledger.wire.json.command_lines import CommandLine

WIDTH = 100

_Quoted = (
    InstanceReturnQuoted
    | InstanceDowngradeQuoted
    | ReservationRefundQuoted
    | ReservationExchangeQuoted
)


class Narrator:
    """Writes for people; on a pipe without colours."""

    def __init__(self) -> None:
        found = Console(highlight=False)
        self.console = Console(highlight=False, width=min(found.width, WIDTH))
        if not found.is_terminal:
            self.console = Console(highlight=False, width=WIDTH)

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._put("")
        self._put(Rule(Text(text, style="bold"), align="left", characters="─"))

    def say(self, text: str) -> None:
        """A paragraph."""
        self._put("")
        self._put(Text(text))

    def note(self, text: str) -> None:
        """A remark."""
        self._put(Padding(Text(text, style="dim"), (0, 0, 0, 2)))

    def show(self, what: RenderableType) -> None:
        """A table."""
        self._put(Padding(what, (1, 0, 0, 4)))

    def beat(self, beat: Beat, at: Instant, line: CommandLine | None) -> None:
        """What happens next, and the command for it."""
        self.say(beat.say)
        stamp = f"  {when(at)}  "
        if line is None:
            self._put(Text.assemble((stamp, "dim"), ("the clock moves on", "dim")))
            return
        meta = line.command.meta
        asked = f"{line.name} {meta.command_id}"
        who = f"  by {meta.actor.id} ({meta.actor.role})"
        self._put(Text.assemble((stamp, "dim"), (asked, "cyan"), (who, "dim")))

    def events(self, events: Sequence[RecordedEvent], *, passed: bool) -> None:
        """What was recorded; with its own instant if it happened while time `passed`."""
        for event in events:
            refused = isinstance(event.body, CommandRefused)
            mark = Text("✗", style="red") if refused else Text("✓", style="green")
            stamp = f"{when(event.meta.recorded_at)}  " if passed else ""
            name = Text.assemble((stamp, "dim"), (f"{event.name}  ", "bold"), _answer(event))
            row = Table.grid(padding=(0, 1))
            row.add_row(mark, name)
            self._put(Padding(row, (0, 0, 0, 4)))
            for figures in _figures(event):
                self._put(Padding(Text(figures, style="dim"), (0, 0, 0, 6)))
            if isinstance(event.body, _Quoted):
                self.show(_working(event.body.working))

    def _put(self, what: RenderableType) -> None:
        put(self.console, what)


def _answer(event: RecordedEvent) -> str:
    match event.body:
        case InstanceReturnQuoted() | InstanceDowngradeQuoted() as quote:
            amount = f"{money(quote.amount, quote.currency)} by {quote.rule}"
            return quote_told(amount, quote.expires_at, quote.violations)
        case CommandRefused() as refusal:
            return "; ".join(refused_because(each) for each in refusal.violations)
        case body:
            return sentence(body)


def _figures(event: RecordedEvent) -> Sequence[str]:
    """The compared figures of each violated rule, if there are any."""
    if not isinstance(event.body, CommandRefused | _Quoted):
        return ()
    return [figures for each in event.body.violations if (figures := figures_told(each))]


def _working(steps: Sequence[WorkingStep]) -> Table:
    """How the amount was calculated, step by step."""
    table = Table(box=None, pad_edge=False, header_style="dim", show_header=True)
    table.add_column("the working", no_wrap=True)
    table.add_column("from", style="dim", ratio=1)
    table.add_column("gives", justify="right")
    for step in steps:
        inputs = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in step.inputs.items())
        table.add_row(step.step.replace("_", " "), inputs, step.result)
    return table

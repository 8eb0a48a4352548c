"""Lists commands in `--help` under headings, each with its full sentence."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

RUN, GIVE, ASK, PROVE, MEND = (
    "Run a ledger",
    "Send commands",
    "Ask it",
    "Prove it",
    "Mend it",
)
"""The headings, in the order they are shown. A command names its own as `rich_help_panel`."""


class HeadedCommands(TyperGroup):
    """Lists its commands by heading; a command without one is listed under `Commands`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the lists. The library's own method cuts a sentence at the end of the line."""
        listed: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is None or command.hidden:
                continue
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            sentence = " ".join((command.help or "").split("\n\n")[0].split())
            listed.setdefault(heading, []).append((name, sentence))
        order = {heading: place for place, heading in enumerate((RUN, GIVE, ASK, PROVE, MEND))}
        for heading in sorted(listed, key=lambda each: order.get(each, -1)):
            with formatter.section(heading):
                formatter.write_dl(listed[heading])

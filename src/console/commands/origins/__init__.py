"""`refundctl origins`: who may give commands, and by which keys."""

from __future__ import annotations

import typer

from console.commands.origins.changing import add, allow, mode, revoke, rotate, start
from console.commands.origins.looking import list_origins, sign
from console.terminal.help import HeadedCommands

app = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Who may give commands, and by which keys.",
)
app.command()(start)
app.command()(add)
app.command()(allow)
app.command()(rotate)
app.command()(revoke)
app.command()(mode)
app.command(name="list")(list_origins)
app.command()(sign)

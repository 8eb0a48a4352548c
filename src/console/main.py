"""The command line `refundctl`: all commands, and one clear sentence for every error."""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from console.commands import (
    audit,
    dlq,
    origins,
    people,
    processes,
    quote,
    secrets,
    stack,
    webhooks,
)
from console.commands.check_publisher import check_publisher
from console.commands.clock import clock
from console.commands.doctor import doctor
from console.commands.eligible import eligible
from console.commands.erase import erase
from console.commands.explain import explain as explain_verdict
from console.commands.export import export
from console.commands.query import query
from console.commands.rebuild import rebuild
from console.commands.reconcile import reconcile
from console.commands.report import report
from console.commands.rules import rules
from console.commands.scale import scale
from console.commands.serve import serve
from console.commands.simulate import simulate
from console.commands.submit import submit
from console.demo import demo
from console.terminal.errors import INTERRUPTED, explain
from console.terminal.help import ASK, GIVE, MEND, PROVE, RUN, HeadedCommands

app = typer.Typer(
    name="refundctl",
    help="The refund ledger: run it, send it commands, query it.",
    no_args_is_help=True,
    cls=HeadedCommands,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code; errors are printed, not raised."""
    _leave_no_memory_behind()
    _write_every_character()
    try:
        app(args=arguments, prog_name="refundctl")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _forget_output()
        sys.exit(0)
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        code, sentence = told
        sys.stderr.write(f"error: {sentence}\n")
        _forget_output()
        if isinstance(error, OSError):
            # What closing the same files meets on a full disk is not told again.
            sys.unraisablehook = _ignore
        sys.exit(code)


def _ignore(_unraisable: object) -> None:
    """Say nothing."""


def _forget_output() -> None:
    """What a pipe without a reader or a full disk did not take is not flushed again at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave_no_memory_behind() -> None:
    """A process that breaks writes no core file, where passwords and keys would be; nor do those
    that it starts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write_every_character() -> None:
    """A character that the locale does not have is escaped, as Python does for standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _print_version(wanted: bool) -> None:
    if wanted:
        from console.terminal.output import version

        typer.echo(f"refundctl {version()}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """The refund ledger: run it, send it commands, query it."""


app.command(rich_help_panel=RUN)(stack.up)
app.command(rich_help_panel=RUN)(stack.down)
app.command(rich_help_panel=RUN)(stack.status)
app.command(rich_help_panel=RUN)(stack.logs)
app.command(rich_help_panel=RUN)(scale)
app.command(rich_help_panel=RUN)(serve)
app.add_typer(secrets.app, name="secrets", rich_help_panel=RUN)
app.add_typer(people.app, name="people", rich_help_panel=RUN)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=RUN)
app.command(rich_help_panel=RUN)(erase)
app.command(rich_help_panel=RUN)(demo)
app.command(rich_help_panel=GIVE)(submit)
app.command(rich_help_panel=GIVE)(simulate)
app.command(rich_help_panel=GIVE)(check_publisher)
app.add_typer(quote.app, name="quote", rich_help_panel=GIVE)
app.add_typer(clock, name="clock", rich_help_panel=GIVE)
app.command(rich_help_panel=ASK)(query)
app.command(rich_help_panel=ASK)(eligible)
app.command(name="explain", rich_help_panel=ASK)(explain_verdict)
app.command(rich_help_panel=ASK)(rules)
app.command(rich_help_panel=ASK)(export)
app.command(rich_help_panel=ASK)(report)
app.command(rich_help_panel=PROVE)(doctor)
app.add_typer(audit.app, name="audit", rich_help_panel=PROVE)
app.command(rich_help_panel=PROVE)(reconcile)
app.add_typer(dlq.app, name="dlq", rich_help_panel=MEND)
app.add_typer(origins.app, name="origins", rich_help_panel=RUN)
app.command(rich_help_panel=MEND)(rebuild)
app.command(hidden=True)(processes.init)
app.add_typer(processes.run, name="run", hidden=True)

if __name__ == "__main__":
    main()

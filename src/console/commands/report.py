"""`refundctl report`: a period in pictures, with the figures beneath them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.export import writable
from console.terminal.errors import BadInput
from console.terminal.period_options import period


def report(
    since: Annotated[
        str, typer.Option("--from", metavar="WHEN", help="Its first day or instant (UTC).")
    ],
    until: Annotated[
        str, typer.Option("--to", metavar="WHEN", help="The day or instant after it (UTC).")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="FILE.html, .pdf or .png.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a period in pictures: refunds, cap use, bin, refusals.

    The page needs nothing beside it: its pictures stand in it, each with its figures. The footer
    names the place in the log and the digest of the figures; a closed period gives the same bytes
    whenever it is reported.

    Examples:

      refundctl report --from 2026-01-01 --to 2026-04-01 -o quarter.html

      refundctl report --from 2026-01-01 --to 2026-02-01 -o january.pdf
    """
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from projector.exports.errors import CannotBeWritten
    from projector.exports.period import BadPeriod
    from projector.report.figures import figures
    from projector.report.writing import ReportFormat, render

    name = output.suffix.removeprefix(".")
    known = [each.value for each in ReportFormat]
    if name not in known:
        raise BadInput(f"{output}: a report is a file that ends with .{', .'.join(known)}")
    writable(output, force=force)
    begins, ends = period(since, until)
    assert begins is not None
    assert ends is not None
    ledger = find_ledger(read_settings())
    try:
        told = render(figures(ledger.database_url, begins, ends), ReportFormat(name))
    except (BadPeriod, CannotBeWritten) as error:
        raise BadInput(str(error.args[0])) from error
    part = output.with_name(f".{output.name}.part")
    part.write_bytes(told)
    part.replace(output)

"""`refundctl report`: a period in charts, with their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.commands.export import writable
from console.terminal.errors import BadInput
from console.terminal.period_options import period


def report(
    since: Annotated[
        str,
        typer.Option("--from", metavar="WHEN", help="First day or instant of the period (UTC)."),
    ],
    until: Annotated[
        str,
        typer.Option("--to", metavar="WHEN", help="First day or instant after the period (UTC)."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="FILE.html, .pdf or .png.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write charts of a period: refunds, cap use, recycle bin, refusals.

    The page is a single file: it contains the charts, each with its figures. The footer gives the
    position in the log and the digest of the figures. A closed period always gives the same bytes.

    Examples:

      refundctl report --from 2026-01-01 --to 2026-04-01 -o quarter.html

      refundctl report --from 2026-01-01 --to 2026-02-01 -o january.pdf
    """
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import write_whole
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
    write_whole(output, told)

"""`refundctl export`: writes the rows of a finance view to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import BadInput
from console.terminal.period_options import From, To
from console.terminal.period_options import period as period_of

if TYPE_CHECKING:
    from projector.exports.writing import Format


def export(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="A view of schema finance.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
    wanted: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="csv, xlsx, parquet, jsonl or beancount (default: the ending of FILE).",
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", "-a", help="Only this account's rows.")
    ] = None,
    since: From = None,
    until: To = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a finance view to a file.

    The file gives its position in the log and the digest of its rows; for CSV and JSON lines this
    is in FILE.about.json. A closed period always gives the same bytes. A period that could still
    get more rows is refused.

    Examples:

      refundctl export statement --account acct-1 --from 2026-01-01 --to 2026-02-01 -o january.xlsx

      refundctl export refunds -o refunds.parquet

      refundctl export postings --format beancount -o books.beancount
    """
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.output import console
    from console.terminal.progress_bar import bar
    from projector.exports.errors import CannotBeWritten
    from projector.exports.extract import Request
    from projector.exports.period import BadPeriod, UnknownView
    from projector.exports.writing import export as write_export

    chosen = _format(wanted, output)
    writable(output, force=force)
    begins, ends = period_of(since, until)
    request = Request(view=view.replace("-", "_"), account=account, since=begins, until=ends)
    ledger = find_ledger(read_settings())
    try:
        with bar("exporting", "rows") as tell:
            found = write_export(ledger.database_url, request, chosen, output, tell)
    except (UnknownView, BadPeriod, CannotBeWritten) as error:
        raise BadInput(str(error.args[0])) from error
    out = console(stderr=True)
    out.print(f"{output}: {found.rows:,} rows, sha256 of the rows {found.digest}", soft_wrap=True)


def writable(output: Path, *, force: bool) -> None:
    """Refuse a file that exists, or whose folder does not exist."""
    if not output.parent.is_dir():
        raise BadInput(f"{output}: there is no folder {output.parent}; create it first")
    if output.is_dir():
        raise BadInput(f"{output} is a folder; name a file in it")
    if output.exists() and not force:
        raise BadInput(f"{output} exists; --force replaces it")


def _format(wanted: str | None, output: Path) -> Format:
    from projector.exports.writing import Format

    name = wanted if wanted is not None else output.suffix.removeprefix(".")
    known = [each.value for each in Format]
    if name not in known:
        raise BadInput(f"no format is called {name!r}; --format takes {', '.join(known)}")
    return Format(name)

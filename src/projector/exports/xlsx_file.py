"""XLSX with typed cells, written row by row, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from projector.exports.cells import Cell
from projector.exports.columns import Column, Kind
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Extract

ROWS = 1_048_575
CHARACTERS = 32_767
DIGITS = 15
"""The limits of a sheet and a cell. A spreadsheet keeps 15 digits of a number, so a longer one is
written as text: the sheet cannot add it up, but it is exact.
"""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_CREATED = datetime(1980, 1, 1)  # noqa: DTZ001  # no instant: it must only be always the same


def write(extract: Extract, path: Path, tell: Callable[[int], None]) -> None:
    """A sheet with the rows, and one with their origin.

    Raises CannotBeWritten for too many rows, or a text that is too long for a cell.
    """
    if extract.rows > ROWS:
        raise CannotBeWritten(
            f"{extract.rows:,} rows, but a sheet has at most {ROWS:,}: use a period, csv or parquet"
        )
    try:
        # The library leaves its own temporary files behind after an error.
        with TemporaryDirectory() as scratch:
            _write(extract, path, Path(scratch), tell)
    except FileCreateError as error:
        # The library's own error hides the one of the disk.
        raise error.args[0] from None


def _write(extract: Extract, path: Path, scratch: Path, tell: Callable[[int], None]) -> None:
    with xlsxwriter.Workbook(path, {**_OPTIONS, "tmpdir": str(scratch)}) as book:
        book.set_properties({"title": extract.request.view, "created": _CREATED})
        sheet = book.add_worksheet(extract.request.view[:31])
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        formats = [_format_of(book, column) for column in extract.columns]
        for place, column in enumerate(extract.columns):
            utc = " (UTC)" if column.kind is Kind.INSTANT else ""
            sheet.set_column(place, place, 24 if column.kind is Kind.INSTANT else 16)
            sheet.write_string(0, place, column.name + utc, bold)
        for number, row in enumerate(extract, start=1):
            for place, (column, value) in enumerate(zip(extract.columns, row, strict=True)):
                _write_cell(sheet, (number, place), column, value, formats[place])
            tell(number)
        about = book.add_worksheet("about")
        for number, (name, value) in enumerate(extract.about.items()):
            about.write_string(number, 0, name, bold)
            about.write_string(number, 1, "" if value is None else str(value))


def _write_cell(
    sheet: Any, place: tuple[int, int], column: Column, value: Cell, shown_as: Any
) -> None:
    match column.kind, value:
        case _, None:
            return
        case _, bool():
            sheet.write_boolean(*place, value, shown_as)
        case Kind.INTEGER, int() if len(str(abs(value))) <= DIGITS:
            sheet.write_number(*place, value, shown_as)
        case Kind.DECIMAL, str() if _digits(value) <= DIGITS:
            sheet.write_number(*place, Decimal(value), _decimals(shown_as, value))
        case Kind.INSTANT, str():
            instant = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
            sheet.write_datetime(*place, instant, shown_as)
        case Kind.DAY, str():
            sheet.write_datetime(*place, date.fromisoformat(value), shown_as)
        case _:
            _write_text(sheet, place, column, value)


def _write_text(sheet: Any, place: tuple[int, int], column: Column, value: Cell) -> None:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    if len(text) > CHARACTERS:
        raise CannotBeWritten(
            f"row {place[0]}, column {column.name}: {len(text):,} characters, but a cell has at "
            f"most {CHARACTERS:,}: use jsonl or parquet"
        )
    sheet.write_string(*place, text)


def _digits(text: str) -> int:
    return len(text.lstrip("-").replace(".", "").lstrip("0"))


def _format_of(book: Any, column: Column) -> Any:
    """The formats of a column; for decimals one for each number of decimals."""
    match column.kind:
        case Kind.DECIMAL:
            zeros = {places: "." + "0" * places if places else "" for places in range(19)}
            return {n: book.add_format({"num_format": f"#,##0{z}"}) for n, z in zeros.items()}
        case Kind.INSTANT:
            return book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        case Kind.DAY:
            return book.add_format({"num_format": "yyyy-mm-dd"})
        case _:
            return None


def _decimals(formats: Any, text: str) -> Any:
    return formats.get(len(text.partition(".")[2]))

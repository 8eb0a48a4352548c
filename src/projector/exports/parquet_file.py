"""Parquet with exact types: decimals with the necessary scale, instants in UTC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from projector.exports.cells import Cell
from projector.exports.columns import Column, Kind
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Extract

_GROUP_ROWS = 20_000
_PRECISION = 38


def write(extract: Extract, path: Path, tell: Callable[[int], None]) -> None:
    """The rows, with the extract's metadata in the file's metadata.

    Raises CannotBeWritten if pyarrow is not installed.
    """
    arrow, parquet = _arrow()
    about = {"refund_ledger.about": json.dumps(extract.about, ensure_ascii=False)}
    scales = _scales(extract)
    schema = arrow.schema(
        [(c.name, _type(arrow, c, scales.get(c.name, 0))) for c in extract.columns], metadata=about
    )
    done = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _groups(iter(extract)):
            columns = zip(extract.columns, zip(*rows, strict=True), strict=True)
            arrays = [
                arrow.array(
                    [_value(column, cell) for cell in cells], schema.field(column.name).type
                )
                for column, cells in columns
            ]
            writer.write_table(arrow.table(arrays, schema=schema))
            done += len(rows)
            tell(done)


def _groups(rows: Iterator[list[Cell]]) -> Iterator[list[list[Cell]]]:
    while group := list(islice(rows, _GROUP_ROWS)):
        yield group


def _scales(extract: Extract) -> dict[str, int]:
    """The largest number of decimals in each column of decimals."""
    places = [(n, c.name) for n, c in enumerate(extract.columns) if c.kind is Kind.DECIMAL]
    scales = dict.fromkeys((name for _, name in places), 0)
    for row in extract:
        for place, name in places:
            decimals = len(str(row[place] or "").partition(".")[2])
            scales[name] = max(scales[name], decimals)
    return scales


def _type(arrow: Any, column: Column, scale: int) -> Any:
    match column.kind:
        case Kind.DECIMAL:
            return arrow.decimal128(_PRECISION, scale)
        case Kind.INTEGER:
            return arrow.int64()
        case Kind.FLAG:
            return arrow.bool_()
        case Kind.INSTANT:
            return arrow.timestamp("us", "UTC")
        case Kind.DAY:
            return arrow.date32()
        case Kind.TEXTS:
            return arrow.list_(arrow.string())
        case Kind.TEXT | Kind.JSON:
            return arrow.string()


def _value(column: Column, cell: Cell) -> Any:
    match column.kind, cell:
        case Kind.DECIMAL, str():
            return Decimal(cell)
        case Kind.INSTANT, str():
            return datetime.fromisoformat(cell)
        case Kind.DAY, str():
            return date.fromisoformat(cell)
        case _:
            return cell


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise CannotBeWritten(
            "parquet needs pyarrow, which is not installed: pip install 'refund-ledger[parquet]'"
        ) from error
    return pyarrow, parquet

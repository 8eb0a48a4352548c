"""`/books/exports`: the rows of a period as a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from console.terminal.errors import BadInput
from console.terminal.period_options import period
from console.web.api.queries import Asked
from console.web.closing.protocol import MOVED, STOOD
from console.web.problems import Problem
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Request as Wanted
from projector.exports.period import BadPeriod, UnknownView
from projector.exports.writing import Format, export

router = APIRouter(tags=["pages"], include_in_schema=False)
VIEWS = (*MOVED, *STOOD)
"""What is exported here has no free texts."""
_CHUNK = 64 * 1024
_TYPES = {
    Format.CSV: "text/csv",
    Format.JSONL: "application/jsonl",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.BEANCOUNT: "text/plain; charset=utf-8",
}


@router.get("/books/exports")
def export_file(
    backend: Asked,
    view: Annotated[str, Query()] = "journal",
    format_: Annotated[str, Query(alias="format")] = "csv",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    account: Annotated[str, Query()] = "",
) -> Response:
    """A file with the rows of a period, as `refundctl export` writes it."""
    if view not in VIEWS or format_ not in {each.value for each in Format}:
        raise Problem(
            404, "Not found", f"there is no export of {view!r} as {format_!r}; see the page /books"
        )
    wanted = Format(format_)
    folder = TemporaryDirectory(prefix="refunds-export-")  # until it was sent
    path = Path(folder.name) / f"{view}.{format_}"
    try:
        begins, ends = period(since or None, until or None)
        if view in STOOD:
            begins = None
        asked = Wanted(view=view, account=account or None, since=begins, until=ends)
        export(backend.ledger.database_url, asked, wanted, path)
    except (BadInput, BadPeriod, UnknownView, CannotBeWritten) as error:
        folder.cleanup()
        raise Problem(400, "Not possible", str(error.args[0])) from error
    except BaseException:
        folder.cleanup()
        raise
    name = "-".join(part for part in (view, since[:10], until[:10]) if part.isascii())
    headers = {"Content-Disposition": f'attachment; filename="{_plain(name)}.{format_}"'}
    return StreamingResponse(_sent(path, folder), media_type=_TYPES[wanted], headers=headers)


def _sent(path: Path, folder: TemporaryDirectory[str]) -> Iterator[bytes]:
    with folder, path.open("rb") as file:
        while part := file.read(_CHUNK):
            yield part


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "-" for each in name)

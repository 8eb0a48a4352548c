"""What is read back from a file of any format is exactly what the view shows."""

from __future__ import annotations

import csv
import gc
import json
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psycopg
import pytest
from psycopg.rows import dict_row
from pyarrow import parquet

from projector.exports.columns import views
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Extract, Request
from projector.exports.writing import Format, about_file, export
from tests.projector.exports.conftest import HOSTILE, HUGE

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows(conninfo: str, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(conninfo) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode()).fetchall()


def refunds(conninfo: str) -> list[dict[str, Any]]:
    return rows(
        conninfo, 'SELECT * FROM finance.refunds ORDER BY account_id COLLATE "C", refund_id'
    )


def written(conninfo: str, path: Path, wanted: Format, **asked: Any) -> Extract:
    return export(conninfo, Request(**{"view": "refunds", **asked}), wanted, path)


def test_every_view_can_be_exported_in_every_format(shown: str, tmp_path: Path) -> None:
    with psycopg.connect(shown) as connection:
        names = views(connection)
    assert {"balances", "refunds", "statement", "postings"} <= set(names)
    for name in names:
        counts = set()
        for wanted in (Format.CSV, Format.JSONL, Format.XLSX, Format.PARQUET):
            path = tmp_path / f"{name}.{wanted}"
            found = export(shown, Request(view=name), wanted, path)
            counts.add((found.rows, found.digest))
            assert path.stat().st_size > 0 or (found.rows, wanted) == (0, Format.JSONL)
        assert len(counts) == 1, f"{name}: the formats differ"
        assert next(iter(counts))[0] == len(rows(shown, f"SELECT 1 AS one FROM finance.{name}"))


def test_json_lines_hold_every_cell_as_it_is(shown: str, tmp_path: Path) -> None:
    written(shown, tmp_path / "r.jsonl", Format.JSONL)
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    for line, row in zip(lines, refunds(shown), strict=True):
        assert list(line) == list(row)
        assert Decimal(line["amount"]) == row["amount"]
        assert line["working"] == row["working"]
        assert line["issued_at"] == row["issued_at"].isoformat().replace("+00:00", "Z")


def test_parquet_holds_exact_decimals_instants_and_its_origin(shown: str, tmp_path: Path) -> None:
    found = written(shown, tmp_path / "r.parquet", Format.PARQUET)
    table = parquet.read_table(tmp_path / "r.parquet")
    for line, row in zip(table.to_pylist(), refunds(shown), strict=True):
        for name in ("amount", "cash", "amount_minor", "issued_at", "settled_at", "quota_spent"):
            assert line[name] == row[name], name
        assert json.loads(line["working"]) == row["working"]
    assert json.loads(table.schema.metadata[b"refund_ledger.about"]) == found.about
    assert max(table["amount_minor"].to_pylist()) == HUGE


def test_csv_holds_every_figure_and_no_cell_that_would_be_run(shown: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    written(shown, path, Format.CSV)
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    for line, row in zip(lines, refunds(shown), strict=True):
        assert (Decimal(line["amount"]), int(line["amount_minor"])) == (
            row["amount"],
            row["amount_minor"],
        )
    written(shown, tmp_path / "a.csv", Format.CSV, view="accounts")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert f"'{HOSTILE}".replace('"', '""') in text
    written(shown, tmp_path / "s.csv", Format.CSV, view="statement")
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        amounts = [line["amount"] for line in csv.DictReader(file)]
    assert "-70.01" in amounts


def test_csv_and_json_lines_have_their_origin_beside_them(shown: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    found = written(shown, path, Format.CSV)
    about = json.loads(about_file(path).read_text(encoding="utf-8"))
    assert about["file_sha256"] == sha256(path.read_bytes()).hexdigest()
    assert about["rows_sha256"] == found.digest
    assert set(about["log_position"]) == {"0", "1", "2"}


def cells(path: Path, number: int) -> list[list[tuple[str | None, str]]]:
    """The type and the text of every cell of a sheet."""
    with zipfile.ZipFile(path) as archive:
        sheet = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
    return [
        [(cell.get("t"), "".join(cell.itertext())) for cell in row.iter(f"{SHEET}c")]
        for row in sheet.iter(f"{SHEET}row")
    ]


def test_xlsx_has_typed_cells_and_text_where_a_number_would_be_rounded(
    shown: str, tmp_path: Path
) -> None:
    found = written(shown, tmp_path / "r.xlsx", Format.XLSX)
    header, *lines = cells(tmp_path / "r.xlsx", 1)
    texts = [text for row in lines for _, text in row]
    assert header[0][1] == "account_id"
    assert ("inlineStr", str(HUGE)) in [cell for row in lines for cell in row]
    assert (None, "407.96") in [cell for row in lines for cell in row]
    assert "407.96" in texts
    about = {name: value for (_, name), (_, value) in cells(tmp_path / "r.xlsx", 2)}
    assert about["rows_sha256"] == found.digest


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_cannot_be_made_is_told_as_the_system_tells_it_and_leaves_nothing(
    shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        written(shown, tmp_path / "nothing" / "r.xlsx", Format.XLSX)
    gc.collect()  # the library leaves its files open
    assert list(tmp_path.iterdir()) == []


def test_a_text_that_no_cell_holds_is_refused_and_leaves_nothing(
    shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projector.exports.xlsx_file.CHARACTERS", 8)
    (tmp_path / "r.xlsx").write_text("what was there")
    with pytest.raises(CannotBeWritten, match=r"row 1, column \w+: \d+ characters, but a cell ha"):
        written(shown, tmp_path / "r.xlsx", Format.XLSX)
    assert [path.name for path in tmp_path.iterdir()] == ["r.xlsx"]
    assert (tmp_path / "r.xlsx").read_text() == "what was there"


def test_without_pyarrow_the_step_to_install_it_is_told(shown: str, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from projector.exports.extract import Request\n"
        "from projector.exports.writing import Format, export\n"
        "export(sys.argv[1], Request(view='refunds'), Format.PARQUET, Path(sys.argv[2]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, shown, tmp_path / "r.parquet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "parquet needs pyarrow" in done.stderr
    assert "pip install 'refund-ledger[parquet]'" in done.stderr
    assert list(tmp_path.iterdir()) == []

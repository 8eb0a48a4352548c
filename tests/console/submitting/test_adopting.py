"""The page on adopting the ledger: its example arrives whole, as the SQL of the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from csv import reader
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.console.golden_files import EXAMPLES
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Terminal
from tests.house.tree import ROOT

pytestmark = pytest.mark.timeout(600)

ACCOUNTS = 80
PAGE = (ROOT / "docs" / "how-to" / "adopt.md").read_text("utf-8")
TOTALS, BOOKS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def exported(folder: Path, as_of: str, accounts: int = ACCOUNTS) -> tuple[bytes, bytes]:
    """What the old system of the example exports: its commands and its totals."""
    program = str(EXAMPLES / "adopting" / "old_system.py")
    options = ("--accounts", str(accounts), "--as-of", as_of, "--into", str(folder))
    subprocess.run([sys.executable, program, *options], check=True)
    return (folder / "commands.jsonl").read_bytes(), (folder / "totals.csv").read_bytes()


def answer(database_url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_the_same_seed_makes_the_same_old_system(tmp_path: Path) -> None:
    as_of = "2026-06-01T00:00:00Z"
    assert exported(tmp_path / "a", as_of) == exported(tmp_path / "b", as_of)


@pytest.mark.integration
def test_what_the_old_system_exports_arrives_whole(
    terminal: Terminal, live_ledger: RunningLedger, tmp_path: Path
) -> None:
    terminal.use(live_ledger.environment)
    as_of = datetime.now(UTC) - timedelta(days=1)
    exported(tmp_path, as_of.strftime("%Y-%m-%dT%H:%M:%SZ"))

    ran = terminal.run("submit", tmp_path / "commands.jsonl", "--strict")

    assert ran.code == 0, ran.err
    with (tmp_path / "totals.csv").open(encoding="utf-8", newline="") as file:
        reported = list(reader(file))[1:]
    arrived = answer(live_ledger.database_url, TOTALS)
    assert [[total, of, str(int(amount))] for total, of, amount in arrived] == reported
    assert {"balance gift", "cap commitment", "held credits"} < {row[0] for row in reported}
    books = answer(live_ledger.database_url, BOOKS)
    assert [row[0] for row in books] == ["CNY", "EUR", "USD"]
    assert all(out == 0 and (brought or 0) == (owed or 0) for _, out, brought, owed in books)

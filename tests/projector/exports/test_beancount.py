"""Beancount, a program of others, adds up our books and comes to our balances."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.values.instants import HOUR
from projector.exports.books import account_of
from projector.exports.errors import CannotBeWritten
from projector.exports.extract import Request
from projector.exports.writing import Format, export
from tests.projector.exports.conftest import HOSTILE
from tests.projector.stories import START

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
SUMS = """
import json, sys
from collections import defaultdict
from beancount import loader
from beancount.core.data import Transaction
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors
sums = defaultdict(int)
for entry in entries:
    if isinstance(entry, Transaction):
        for posting in entry.postings:
            sums[posting.account, posting.units.currency] += posting.units.number
print(json.dumps([[*key, str(value)] for key, value in sums.items()]))
"""


def books(conninfo: str, path: Path, **asked: Any) -> Path:
    export(conninfo, Request(view="postings", **asked), Format.BEANCOUNT, path)
    return path


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BEAN_CHECK, path], capture_output=True, text=True, check=False)


def test_bean_check_passes_and_finds_our_balances(shown: str, tmp_path: Path) -> None:
    path = books(shown, tmp_path / "books.beancount")
    done = checked(path)
    assert (done.returncode, done.stderr) == (0, "")
    told = subprocess.run(
        [sys.executable, "-c", SUMS, path], capture_output=True, text=True, check=True
    )
    theirs = {(a, currency): Decimal(v) for a, currency, v in json.loads(told.stdout)}
    with psycopg.connect(shown) as connection:
        ours = {
            (account_of(account, book), currency): -amount
            for account, book, currency, amount in connection.execute(
                "SELECT account_id, 'balance:cash', currency, cash FROM finance.balances"
                " UNION ALL SELECT account_id, 'balance:gift', currency, gift"
                " FROM finance.balances"
            )
        }
    assert len([amount for amount in ours.values() if amount]) >= 1
    assert {key: theirs.get(key, Decimal(0)) for key in ours} == ours


def test_a_period_opens_with_what_there_was_before_it(shown: str, tmp_path: Path) -> None:
    cut = START + 14 * HOUR
    periods: list[dict[str, Any]] = [{"until": cut}, {"since": cut}, {"account": "acct-1"}]
    for number, asked in enumerate(periods):
        done = checked(books(shown, tmp_path / f"{number}.beancount", **asked))
        assert (done.returncode, done.stderr) == (0, "")
    assert "Opening balances" in (tmp_path / "1.beancount").read_text()


def test_bean_check_fails_where_a_figure_is_changed(shown: str, tmp_path: Path) -> None:
    path = books(shown, tmp_path / "books.beancount")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("-200.00 CNY", "-200.01 CNY", 1), encoding="utf-8")
    assert checked(path).returncode == 1


def test_only_the_books_are_for_beancount(shown: str, tmp_path: Path) -> None:
    with pytest.raises(CannotBeWritten, match="beancount is for the books: export postings, not r"):
        export(shown, Request(view="refunds"), Format.BEANCOUNT, tmp_path / "r.beancount")
    assert list(tmp_path.iterdir()) == []


def test_every_account_has_a_name_of_its_own_that_beancount_takes() -> None:
    assert account_of("acct-1", "balance:cash") == "Liabilities:Acct-1:Balance:Cash"
    ids = ["acct-1", "Acct-1", "ACCT-1", "acct 1", "acct_1", HOSTILE, "账户", ""]
    assert len({account_of(each, "refunds") for each in ids}) == len(ids)

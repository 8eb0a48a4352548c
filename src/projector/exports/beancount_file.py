"""The books for Beancount: every journal transaction, and our balances to check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from ledger.values.instants import Instant, as_datetime
from projector.exports.books import Balances, account_of, quoted
from projector.exports.extract import Extract

Line = dict[str, Any]


def write(extract: Extract, balances: Balances, path: Path, tell: Callable[[int], None]) -> None:
    """Write the origin, the accounts, their opening balances, each transaction, and the closing
    balances: `bean-check` adds up the transactions and compares.

    A transaction has the UTC day on which it was recorded, and a debit is positive.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('option "title" "refund-ledger"\n')
        for name, value in extract.about.items():
            file.write(f"; {name}: {json.dumps(value, ensure_ascii=False)}\n")
        for (account_id, ledger_account, currency), _ in balances.after:
            account = account_of(account_id, ledger_account)
            file.write(f"1970-01-01 open {account} {currency}\n")
            file.write(f"  account_id: {quoted(account_id)}\n")
        opened = extract.request.since
        if opened is not None and balances.before:
            _opening(file, _day(opened), balances)
        last = _transactions(file, extract, tell) or (_day(opened) if opened else date(1970, 1, 1))
        closed = _closing_day(extract.request.until, last)
        for (account_id, ledger_account, currency), amount in balances.after:
            account = account_of(account_id, ledger_account)
            file.write(f"{closed} balance {account} {amount:f} {currency}\n")


def _opening(file: IO[str], day: date, balances: Balances) -> None:
    for account_id, held in groupby(balances.before, key=lambda each: each[0][0]):
        file.write(f'{day} * "Opening balances"\n')
        for (_, ledger_account, currency), amount in held:
            file.write(f"  {account_of(account_id, ledger_account)}  {amount:f} {currency}\n")


def _transactions(file: IO[str], extract: Extract, tell: Callable[[int], None]) -> date | None:
    """Write them; returns the last day on which anything was recorded."""
    last: date | None = None
    place = itemgetter("partition", "log_sequence", "transaction")
    for _, found in groupby(_lines(extract, tell), key=place):
        legs = list(found)
        day = date.fromisoformat(legs[0]["recorded_at"][:10])
        last = day if last is None else max(last, day)
        file.write(f"{day} * {quoted(legs[0]['event_name'])}\n")
        file.write(f"  event_id: {quoted(legs[0]['event_id'])}\n")
        for leg in legs:
            account = account_of(leg["account_id"], leg["ledger_account"])
            amount = Decimal(leg["amount"]) * (1 if leg["side"] == "DEBIT" else -1)
            file.write(f"  {account}  {amount:f} {leg['currency']}\n")
    return last


def _lines(extract: Extract, tell: Callable[[int], None]) -> Iterator[Line]:
    names = [column.name for column in extract.columns]
    for number, row in enumerate(extract, start=1):
        yield dict(zip(names, row, strict=True))
        tell(number)


def _day(instant: Instant) -> date:
    return as_datetime(instant).date()


def _closing_day(until: Instant | None, last: date) -> date:
    """Beancount compares at the beginning of a day, so this is the day after the period."""
    return last + timedelta(days=1) if until is None else _day(until - 1) + timedelta(days=1)

"""The balance of every account before and after a period, and its name in Beancount."""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import sha256
from typing import Any

from msgspec import Struct
from psycopg import Connection

from ledger.values.instants import Instant, as_datetime
from projector.exports.extract import Request

_SUMS = """
SELECT p.account_id, p.ledger_account, p.currency, sum(p.signed_minor) * c.unit
FROM finance.postings p JOIN finance.currencies c ON c.code = p.currency
WHERE (%(account)s::text IS NULL OR p.account_id = %(account)s)
  AND (%(until)s::timestamptz IS NULL OR p.recorded_at < %(until)s)
GROUP BY p.account_id, p.ledger_account, p.currency, c.unit
ORDER BY p.account_id COLLATE "C", p.ledger_account COLLATE "C", p.currency
"""
_TYPES = {
    "refunds": "Expenses",
    "fee_income": "Income",
    "sales": "Income",
    "receivable": "Assets",
    "customer_receivable": "Assets",
    "opening_balance": "Equity",
}
"""The type of a ledger account in accounting; all others are liabilities."""
_PLAIN = re.compile(r"[a-z0-9][A-Za-z0-9-]*", re.ASCII)

Sums = list[tuple[tuple[str, str, str], Decimal]]
"""Account id, ledger account and currency → debits less credits, in order."""


class Balances(Struct, frozen=True, kw_only=True):
    """Computed by SQL, independently of the written transactions, which must add up to it."""

    before: Sums
    after: Sums


def balances_of(connection: Connection[Any], request: Request) -> Balances:
    """The balances at both ends of the request's period."""
    before = _sums(connection, request.account, request.since) if request.since else []
    return Balances(before=before, after=_sums(connection, request.account, request.until))


def account_of(account_id: str, ledger_account: str) -> str:
    """`acct-1`, `balance:cash` → `Liabilities:Acct-1:Balance:Cash`.

    An id that is not allowed in Beancount, or could be confused with another, ends with its digest.
    """
    name, *rest = ledger_account.split(":")
    book = "".join(word.capitalize() for word in name.split("_"))
    parts = [_TYPES.get(name, "Liabilities"), _component(account_id), book]
    return ":".join([*parts, *(_component(part) for part in rest)])


def quoted(text: str) -> str:
    """A text in Beancount's syntax."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _component(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text[0].upper() + text[1:]
    digest = sha256(text.encode()).hexdigest()[:12]
    return f"X-{re.sub('[^A-Za-z0-9-]', '-', text, flags=re.ASCII)}-{digest}"


def _sums(connection: Connection[Any], account: str | None, until: Instant | None) -> Sums:
    values = {"account": account, "until": None if until is None else as_datetime(until)}
    return [
        ((account_id, ledger_account, currency), amount)
        for account_id, ledger_account, currency, amount in connection.execute(_SUMS, values)
    ]

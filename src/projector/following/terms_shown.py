"""Stores the ledger's terms for the SQL views, which contain no numbers of the rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg import Connection

from ledger.terms.table import Terms, TermsTable
from ledger.values.instants import as_datetime
from projector.rows.tables import as_json

_INSERT = """
INSERT INTO finance.terms (version, position, effective_from, time_zone, full_refunds_per_account,
    ordinary_returns_per_account, marketplace_refunds_per_account, cap_usd, cap_window_days,
    cap_basis, not_exchangeable, families, partial_rounding)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def show_terms(connection: Connection[Any], table: TermsTable) -> None:
    """Replace the table of terms with these, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM finance.terms")
        cursor.executemany(_INSERT, [_row(*each) for each in enumerate(table.versions, start=1)])


def _row(position: int, terms: Terms) -> tuple[Any, ...]:
    return (
        terms.version,
        position,
        as_datetime(terms.effective_from),
        terms.time_zone,
        terms.full_refunds_per_account,
        terms.ordinary_returns_per_account,
        terms.self_service_refunds_per_account,
        Decimal(terms.cap_usd).scaleb(-2),
        terms.cap_window_days,
        terms.cap_basis.value,
        as_json(sorted(terms.not_exchangeable)),
        as_json(terms.families),
        terms.partial_rounding.value,
    )

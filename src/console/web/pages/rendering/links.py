"""Addresses of pages: every id is quoted whole, since ids are free text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

NOTHING = "-"
"""What an address says where a column has no value; one that is empty is left out."""


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with what is asked; parameters without a value are left out."""
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


def quoted(id_: str) -> str:
    """An id as one part of a path; a part of dots alone would be taken for a step."""
    return quote(id_, safe="").replace(".", "%2E") if set(id_) <= {"."} else quote(id_, safe="")


def account_path(account_id: str) -> str:
    """The page of an account."""
    return f"/accounts/{quoted(account_id)}"


def refund_path(refund_id: str, account_id: str) -> str:
    """The page of a refund, with its account: an id is unique in its account alone."""
    return address(f"/refunds/{quoted(refund_id)}", {"account": account_id})


def purchase_path(purchase_id: str, account_id: str) -> str:
    """The page of a purchase, with its account, as above."""
    return address(f"/marketplace/{quoted(purchase_id)}", {"account": account_id})


Row = Mapping[str, Any]


CELL_LINKS: dict[str, Callable[[Row], str | None]] = {
    "account_id": lambda row: account_path(row["account_id"]),
    "refund_id": lambda row: refund_path(row["refund_id"], row.get("account_id") or ""),
    "purchase_id": lambda row: purchase_path(row["purchase_id"], row.get("account_id") or ""),
}
"""Column → the page that a cell of it leads to; a room adds a line for the pages that it has."""


def cell_link(column: str, row: Row) -> str | None:
    """Where a cell leads; None for one without a page, or without a value."""
    found = CELL_LINKS.get(column)
    return None if found is None or not row.get(column) else found(row)

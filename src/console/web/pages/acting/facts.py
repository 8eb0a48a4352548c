"""What the read models say of an account and of its things, where an act shows it."""

from __future__ import annotations

from console.rendering.reports.answers import cell_text
from console.web.backend import Backend
from ledger.values.money import Currency
from ledger.vocabulary.shapes import SourceKind
from projector.asking.queries import ask
from projector.questions import QUESTIONS

_FACTS = {
    SourceKind.INSTANCE: ("instances", "instance_id"),
    SourceKind.RESERVATION: ("reservations", "reservation_id"),
}


def facts_of(
    backend: Backend, account_id: str, kind: SourceKind | None, thing_id: str
) -> list[tuple[str, str]]:
    """What the read models say of a thing, by the names of the columns; empty ones are left out."""
    if kind not in _FACTS:
        return []
    name, id_column = _FACTS[kind]
    told_apart = {"account_id", "state", id_column}
    question = QUESTIONS[name]
    with backend.connection() as connection:
        rows = ask(connection, question, account_id, 1, only={id_column: [thing_id]}).rows
    return [
        (column.name, text)
        for row in rows
        for column, cell in zip(question.columns, row, strict=True)
        if column.name not in told_apart and (text := cell_text(column, cell))
    ]


def currency_of(backend: Backend, account_id: str) -> Currency | None:
    """The account's currency; None if it was never opened."""
    return backend.currencies([account_id]).get(account_id)

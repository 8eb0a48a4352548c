"""Opens sealed texts to be shown; what cannot be opened is shown as a word."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from console.sealing.account_keys import AccountKeys, Erased, destroyed
from console.sealing.master_key import MasterKey
from ledger.vocabulary.sealing import SEALED_FIELDS, Place, key_number, opened
from projector.asking.queries import Answer

SEALED, ERASED, DAMAGED = "sealed", "erased", "damaged"
"""No master key here; the key is destroyed; changed, moved, or its key was never there."""


class Opener:
    """Shows the texts of values in JSON, as far as this program has the keys."""

    def __init__(self, connection: Connection[Any], master: MasterKey | None) -> None:
        self._connection = connection
        self._keys = None if master is None else AccountKeys(connection, master)

    def shown(self, account_id: str, command_id: str, value: Any, name: str = "") -> Any:
        """The value with every sealed text in it opened, or a word in its place. `name` is the
        field in which it stands, where it is a part of another value.
        """
        match value:
            case dict():
                return {
                    key: self.shown(account_id, command_id, part, key)
                    for key, part in value.items()
                }
            case list() | tuple():
                return [self.shown(account_id, command_id, part, name) for part in value]
            case str() if (number := key_number(value)) is not None:
                field = SEALED_FIELDS.get(name, name)
                place = Place(account_id=account_id, command_id=command_id, field=field)
                return self._text(place, number, value)
            case _:
                return value

    def answer(self, found: Answer) -> Answer:
        """The answer of a query; a row without account and command shows words alone."""
        names = [column.name for column in found.question.columns]
        rows = []
        for row in found.rows:
            cells = dict(zip(names, row, strict=True))
            account, command = str(cells.get("account_id", "")), str(cells.get("command_id", ""))
            rows.append(
                tuple(
                    self.shown(account, command, cell, name)
                    if isinstance(cell, str | dict | list)
                    else cell
                    for name, cell in cells.items()
                )
            )
        return replace(found, rows=tuple(rows))

    def _text(self, place: Place, number: int, text: str) -> str:
        if self._keys is None or not place.command_id:
            gone = destroyed(self._connection, place.account_id, number)
            return ERASED if gone else SEALED
        try:
            key = self._keys.one(place.account_id, number)
        except Erased:
            return ERASED
        found = None if key is None else opened(key, place, text)
        return DAMAGED if found is None else found

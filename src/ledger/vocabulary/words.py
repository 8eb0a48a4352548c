"""The sentences about commands, events, fields and codes, from the file beside this one."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def words() -> dict[str, dict[str, str]]:
    """The file's tables: `commands`, `events`, `fields`, `own`, `codes`.

    `own` has the sentence of a field in one record, where the one in `fields` does not fit.
    """
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    return tables


def sentence_of(record: str, field: str) -> str:
    """What a field of a record is."""
    own = words()["own"].get(f"{record}.{field}")
    return words()["fields"].get(field, "") if own is None else own

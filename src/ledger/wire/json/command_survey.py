"""A first look at a file of commands: what must be known before its lines can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ledger.wire.json.command_lines import REFERENCES, Named
from ledger.wire.json.lines import JsonLine


class Survey(Struct, frozen=True):
    """The accounts that lines name, and the commands that lines refer to."""

    accounts: frozenset[str]
    referred: frozenset[Named]


def survey(lines: Iterable[JsonLine]) -> Survey:
    """Read once, so that checking line by line need not remember every command of the file."""
    accounts: set[str] = set()
    referred: set[Named] = set()
    for line in lines:
        account = (line.value or {}).get("account")
        if isinstance(account, str):
            accounts.add(account)
            referred.update((account, each) for each in _referred((line.value or {}).get("body")))
    return Survey(frozenset(accounts), frozenset(referred))


def _referred(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping):
        return
    for name, word in REFERENCES.items():
        value = body.get(name)
        if isinstance(value, Mapping) and word in value:
            yield str(value[word])

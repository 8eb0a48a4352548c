"""Which commands of the contract the ledger decides so far; the others are turned away by name."""

from __future__ import annotations

from ledger.commands import COMMANDS

_NOT_YET: frozenset[str] = frozenset()
BUILT: frozenset[str] = frozenset(COMMANDS) - _NOT_YET

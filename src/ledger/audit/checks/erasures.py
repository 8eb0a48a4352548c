"""Erasures: the keys of an account are destroyed in order, and no destroyed one is used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec
from msgspec import Struct

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
from ledger.vocabulary.events import EVENTS, SubjectErased
from ledger.vocabulary.sealing import key_number, text_fields


class _Erased(Struct, frozen=True, kw_only=True):
    """The keys of an account up to this number are destroyed."""

    up_to: int


class Erasures:
    """The erasures of an account name its keys one after the other, from 1 on; no event after one
    of them has a text that is sealed under a key that was destroyed.
    """

    heeds: ClassVar[tuple[type, ...]] = (
        SubjectErased,
        *(kind for kind in EVENTS.values() if text_fields(kind)),
    )

    def __init__(self, audited: AuditedPartition, kept: Kept) -> None:
        self._books = kept

    def look(self, seen: Seen) -> Iterator[Divergence]:
        """Follow the numbers of each account."""
        if not isinstance(seen, SeenEvent):
            return
        account_id = seen.meta.account_id
        last = self._books.find(_Erased, account_id)
        if isinstance(seen.body, SubjectErased):
            yield from self._next(seen, 1 if last is None else last.up_to + 1, seen.body.key_number)
        elif last is not None:
            for number in _numbers(msgspec.to_builtins(seen.body)):
                if number <= last.up_to:
                    expected = f"no text under a key up to {last.up_to}, which are destroyed"
                    yield divergence(seen, expected=expected, found=f"one under key {number}")

    def _next(self, seen: SeenEvent, following: int, number: int) -> Iterator[Divergence]:
        self._books.keep(_Erased(up_to=number), seen.meta.account_id)
        if number != following:
            yield divergence(seen, expected=f"key {following}", found=f"key {number}")


def _numbers(value: object) -> Iterator[int]:
    """The numbers of the keys of all sealed texts in a value, those of its working included."""
    match value:
        case dict():
            for part in value.values():
                yield from _numbers(part)
        case list() | tuple():
            for part in value:
                yield from _numbers(part)
        case str() if (number := key_number(value)) is not None:
            yield number

"""Erasures: the keys of an account are destroyed in order, and no destroyed one is used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from ledger.audit.evidence import AuditedPartition, Divergence, Seen, SeenEvent, divergence
from ledger.audit.kept import Kept
from ledger.vocabulary.events import EVENTS, Event, SubjectErased
from ledger.vocabulary.sealing import SEALED_FIELDS, key_number, text_fields


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
            for number in _numbers(seen.body):
                if number <= last.up_to:
                    expected = f"no text under a key up to {last.up_to}, which are destroyed"
                    yield divergence(seen, expected=expected, found=f"one under key {number}")

    def _next(self, seen: SeenEvent, following: int, number: int) -> Iterator[Divergence]:
        self._books.keep(_Erased(up_to=number), seen.meta.account_id)
        if number != following:
            yield divergence(seen, expected=f"key {following}", found=f"key {number}")


def _numbers(body: Event) -> Iterator[int]:
    """The numbers of the keys of all sealed texts of an event, those in its working included.

    What else has their form is no text: a publisher may choose such an id.
    """
    told = [getattr(body, name) for name in text_fields(type(body))]
    for step in getattr(body, "working", ()):
        told += [step.inputs[name] for name in SEALED_FIELDS if name in step.inputs]
    for text in told:
        if text is not None and (number := key_number(text)) is not None:
            yield number

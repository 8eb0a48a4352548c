"""A case: one command, with everything that the policies may use to check it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import NewType, TypeVar

from msgspec import Struct

from ledger.calculations.figures import ExchangeFigures, RefundFigures
from ledger.state import State
from ledger.state.entities import Account, Entity, Quote, QuoteKind
from ledger.terms.table import Terms
from ledger.values.instants import Instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import Command
from ledger.vocabulary.envelope import FIRST_EDITION, NEWEST_EDITION, GivenCommand
from ledger.vocabulary.shapes import Role

E = TypeVar("E", bound=Entity)
Said = NewType("Said", str)
"""The sentence of a violated rule, with the names of its values in braces: what a catalogue of
another language has as its key. `why` is a value that is such a sentence itself.
"""
NOTHING: Mapping[str, str] = MappingProxyType({})


class Case(Struct, frozen=True, kw_only=True, dict=True):
    """One command, the instant it is decided at, the terms in force, and the state to read.

    `edition` says how the rules are applied, where that changed without a number of the terms: an
    old verdict is judged again as it was decided. 1 is release 0.1.0. From 2 on invoices carry what
    stays on them, a late order takes no instance away, and what a gateway says is kept.
    `figures`, or `exchange`, are there once the stoppers have passed and the command is one that
    computes them. `violations` are what acting on a quote would violate: any other command that has
    some is refused before it comes so far.
    """

    given: GivenCommand
    digest: bytes
    now: Instant
    terms: Terms
    edition: int = NEWEST_EDITION
    state: State
    figures: RefundFigures | None = None
    exchange: ExchangeFigures | None = None
    violations: tuple[Violation, ...] = ()

    @property
    def by_first_edition(self) -> bool:
        """Is it a command decided by release 0.1.0, judged again?"""
        return self.edition == FIRST_EDITION

    @property
    def command(self) -> Command:
        """The body of the command."""
        return self.given.body

    @property
    def role(self) -> Role:
        """In what capacity the actor speaks."""
        return self.given.meta.actor.role

    @cached_property
    def account(self) -> Account:
        """The account; only to be asked for once `existence_and_state` has passed."""
        account = self.find(Account, "")
        assert account is not None
        return account

    def find(self, kind: type[E], entity_id: str) -> E | None:
        """An entity of the command's account."""
        return self.state.find(kind, self.given.meta.account_id, entity_id)

    def the(self, kind: type[E], entity_id: str) -> E:
        """The same where `existence_and_state` has made sure of it."""
        found = self.find(kind, entity_id)
        assert found is not None
        return found

    def quote(self) -> Quote | None:
        """The quote the command acts on, if it names one that exists."""
        quote_id: str | None = getattr(self.command, "quote_id", None)
        return self.find(Quote, quote_id) if quote_id is not None else None

    def valued_at(self, kind: QuoteKind) -> Instant:
        """The instant at which use is valued: the quote's, if there is one for such an act."""
        quote = self.quote()
        return self.now if quote is None or quote.kind is not kind else quote.quoted_at


def violation(
    rule: str,
    code: Code,
    said: Said,
    told: Mapping[str, str] = NOTHING,
    why: Said | None = None,
    /,
    **figures: str,
) -> Violation:
    """One violated rule. The sentence says what to do next; the figures are what was compared.

    The sentence names figures in braces; `told` are the values that it names besides, and `why` is
    a sentence of the same values that stands in it.
    """
    values = dict(**figures, **told)
    if why is not None:
        values["why"] = why.format(**values)
    return Violation(rule=rule, code=code, message=said.format(**values), figures=figures)

"""Asks a story what may be done now."""

from __future__ import annotations

from ledger.eligibility import Asking, Thing, Verdict, eligible
from ledger.values.refusal import Code
from ledger.vocabulary.commands import Command
from tests.scenario import Scenario


def asking(
    s: Scenario, *, rate: str = "1", actor_id: str | None = None, support: bool = False
) -> Asking:
    """Now, by the terms in force."""
    terms = s.terms.at(s.now)
    return Asking(now=s.now, terms=terms, usd_rate=rate, actor_id=actor_id, support=support)


def things(s: Scenario, how: Asking | None = None) -> dict[str, Thing]:
    """Everything the account has, by id."""
    found = eligible(s.state, s.account, asking(s) if how is None else how)
    return {thing.id: thing for thing in found}


def verdict(s: Scenario, act: type[Command], how: Asking | None = None) -> Verdict:
    """The verdict on the one act of that kind there is."""
    (found,) = (each for thing in things(s, how).values() for each in thing.acts if each.act is act)
    return found


def codes(found: Verdict) -> list[Code]:
    """What stands in the way."""
    return [violation.code for violation in found.violations]


def open_acts(s: Scenario, thing_id: str, how: Asking | None = None) -> list[str]:
    """The acts that nothing stands in the way of."""
    return [each.act.__name__ for each in things(s, how)[thing_id].acts if each.may]

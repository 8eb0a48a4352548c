"""Cuts a query to the things of one person: those of some accounts, or what a vendor sold."""

from __future__ import annotations

from msgspec import Struct

from projector.questions import Question

_LAST = "\U0010ffff"


class NotTheirs(LookupError):
    """The query is about nothing that somebody has; the message says why."""


class Within(Struct, frozen=True, kw_only=True):
    """`accounts` are ids, or beginnings of ids with a * behind; `vendors` are ids of vendors."""

    accounts: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()

    def has(self, account_id: str) -> bool:
        """Whether the account is one of these."""
        return account_id in self.ids or account_id.startswith(self.beginnings)

    @property
    def ids(self) -> tuple[str, ...]:
        """The accounts that are named whole."""
        return tuple(each for each in self.accounts if not each.endswith("*"))

    @property
    def beginnings(self) -> tuple[str, ...]:
        """How the ids of the others begin."""
        return tuple(each[:-1] for each in self.accounts if each.endswith("*"))


def condition(within: Within, question: Question) -> tuple[str, dict[str, object]]:
    """What a row must be, in SQL that an index can follow, and its parameters.

    Raises NotTheirs for a query whose rows are nobody's.
    """
    parts: list[str] = []
    values: dict[str, object] = {}
    if question.of_accounts and within.accounts:
        parts, values = _of_accounts(within)
    if question.of_vendors and within.vendors:
        parts.append("vendor_id = ANY(%(own_vendors)s::text[])")
        values["own_vendors"] = list(within.vendors)
    if not parts:
        raise NotTheirs(f"question {question.name} shows nothing that is yours alone")
    return f"({' OR '.join(parts)})", values


def _of_accounts(within: Within) -> tuple[list[str], dict[str, object]]:
    if len(within.ids) == 1 and not within.beginnings:  # as for whoever asks about one account
        return ['account_id = %(account_id)s COLLATE "C"'], {"account_id": within.ids[0]}
    parts = ['account_id = ANY(%(own_accounts)s::text[] COLLATE "C")']
    values: dict[str, object] = {"own_accounts": list(within.ids)}
    for number, beginning in enumerate(within.beginnings):
        first, last = f"own_from_{number}", f"own_to_{number}"
        parts.append(
            f'(account_id >= %({first})s COLLATE "C" AND account_id < %({last})s COLLATE "C")'
        )
        values |= {first: beginning, last: beginning + _LAST}
    return parts, values

"""Finds what may be done with each thing of an account, from its events as they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from console.explaining.folded_accounts import FoldedAccount
from console.rendering.reports.eligibility import Eligibility
from console.terminal.errors import BadInput
from consumers.sandbox.planning import folded, planned
from ledger.eligibility import Asking, eligible, judged
from ledger.state import Key, MemoryState
from ledger.state.entities import Account, Reservation
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency, Decimal12, parse_decimal12
from ledger.vocabulary.commands import QuoteReservationRefund
from ledger.vocabulary.validation import body_problems
from projector.asking.histories import History


def eligibility_of(
    history: History,
    terms: TermsTable,
    *,
    later: Instant | None = None,
    usd_rate: str | None = None,
    actor_id: str | None = None,
    support: bool = False,
) -> Eligibility:
    """What may be done now, or at a later instant with the timers until then.

    Raises BadInput where that has passed, where there is no account, and for a rate that is wrong
    or missing.
    """
    state, events = _state(history, terms, later), len(history.events)
    return eligibility_in(
        FoldedAccount(state=state, sequence=events, place=history),
        terms,
        at=later,
        usd_rate=usd_rate,
        actor_id=actor_id,
        support=support,
    )


def eligibility_in(
    found: FoldedAccount,
    terms: TermsTable,
    *,
    keys: Iterable[Key] | None = None,
    at: Instant | None = None,
    usd_rate: str | None = None,
    actor_id: str | None = None,
    support: bool = False,
) -> Eligibility:
    """The same for an account that is folded already; at another instant as its state is then.

    `keys` are the things to judge, where that is not all that the account holds or held.
    """
    state, account_id = found.state, found.place.account_id
    at = found.place.now if at is None else at
    account = state.find(Account, account_id, "")
    if account is None:
        raise BadInput(f"account {account_id} was never opened; open it with OpenAccount")
    asking = Asking(
        now=at,
        terms=terms.at(at),
        usd_rate=_rate(state, account.currency, usd_rate),
        actor_id=actor_id,
        support=support,
    )
    return Eligibility(
        history=found.place,
        events=found.sequence,
        currency=account.currency,
        at=at,
        terms=asking.terms.version,
        things=eligible(state, account_id, asking) if keys is None else judged(state, keys, asking),
    )


def _state(history: History, terms: TermsTable, later: Instant | None) -> MemoryState:
    if later is None:
        return folded(history.events)
    if later < history.now:
        raise BadInput(
            f"--at: {format_instant(later)} has passed, the present is "
            f"{format_instant(history.now)}; leave it out, or name a later instant"
        )
    return planned(history.events, now=history.now, at=later, terms=terms)


def _rate(state: MemoryState, currency: Currency, told: str | None) -> Decimal12:
    """A dollar is worth one; another currency's rate must be told where the cap counts in it."""
    if told is None:
        capped = any(isinstance(one, Reservation) for one in state.entities().values())
        if capped and currency != "USD":
            raise BadInput(
                f"the account is in {currency}, and the cap on refunds of reservations counts US "
                f"dollars: say with --usd-rate what one {currency} is worth"
            )
        return "1"
    asked = QuoteReservationRefund(reservation_id="any", usd_rate=told)
    for problem in body_problems(asked):
        raise BadInput(f"--usd-rate: {problem.value} is not {problem.expected}")
    if currency == "USD" and parse_decimal12(told) != 1:
        raise BadInput(
            f"--usd-rate: the account is in USD, its rate is 1, not {told}; leave it out"
        )
    return told

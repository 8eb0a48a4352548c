"""What most stories of instances do first: order, quote and return, settle."""

from __future__ import annotations

from ledger.state.entities import Instance, Isolation
from ledger.terms.table import TermsTable, released_terms
from ledger.values.instants import Instant
from ledger.vocabulary.commands import QuoteInstanceReturn, SettleRefund
from ledger.vocabulary.events import InstanceIsolated, InstanceReturnQuoted, RefundIssued
from ledger.vocabulary.shapes import Funds, Role
from tests.bodies import line, order, postpaid, returning
from tests.scenario import START, Scenario, with_terms


def bought(funds: Funds | None = None, *, terms: TermsTable | None = None) -> Scenario:
    """i-1 runs since START for 365 days; 407.96 cash and a voucher unless told otherwise."""
    s = Scenario(terms=terms).opened()
    s.give(order("o-1", line("i-1", funds), starts_at=START))
    return s


def no_full_refunds(**changes: object) -> TermsTable:
    """The terms without a five-day refund, so that every return is an ordinary one."""
    return with_terms(released_terms(), full_refunds_per_account=0, **changes)


def quoted(
    s: Scenario, instance_id: str = "i-1", *, role: Role | None = None
) -> InstanceReturnQuoted:
    """The quote of returning the instance now."""
    (quote,) = s.give(QuoteInstanceReturn(instance_id=instance_id), role=role)
    assert isinstance(quote, InstanceReturnQuoted), quote
    return quote


def act_on(s: Scenario, quote: InstanceReturnQuoted, *, role: Role | None = None) -> Scenario:
    """Confirms a quote as it was given."""
    return s.when(returning(quote.instance_id, quote.quote_id, quote.amount), role=role)


def returned(s: Scenario, instance_id: str = "i-1", *, role: Role | None = None) -> RefundIssued:
    """Quotes and returns the instance at once; the refund."""
    act_on(s, quoted(s, instance_id, role=role), role=role)
    return issued(s)


def issued(s: Scenario) -> RefundIssued:
    """The refund that the last command led to."""
    found = [body for body in s.outcome if isinstance(body, RefundIssued)]
    assert len(found) == 1, s.outcome
    return found[0]


def binned(s: Scenario) -> InstanceIsolated:
    """The isolation that the last command led to."""
    found = [body for body in s.outcome if isinstance(body, InstanceIsolated)]
    assert len(found) == 1, s.outcome
    return found[0]


def settle(s: Scenario, refund: RefundIssued) -> Scenario:
    """The settlement reaction's follow-up."""
    return s.when(SettleRefund(refund_id=refund.refund_id))


def started(s: Scenario | None = None) -> Scenario:
    """i-1 runs and is paid by use."""
    s = Scenario().opened() if s is None else s
    s.give(postpaid("i-1"))
    return s


def instance(s: Scenario, instance_id: str = "i-1") -> Instance:
    """The instance as it is now."""
    found = s.state.find(Instance, s.account, instance_id)
    assert found is not None
    return found


def isolation(s: Scenario, instance_id: str = "i-1") -> Isolation:
    """Its current stay in the bin."""
    found = instance(s, instance_id).isolation
    assert found is not None
    return found


def window_end(s: Scenario, instance_id: str = "i-1") -> Instant:
    """The last instant at which it can be restored."""
    return isolation(s, instance_id).restore_until

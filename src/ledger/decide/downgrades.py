"""What becomes of a downgrade that no policy objects to, and what it would give."""

from __future__ import annotations

from ledger.calculations.counted_orders import counted_orders
from ledger.calculations.downgrade import downgrade
from ledger.calculations.figures import RefundFigures
from ledger.decide.facts import Fact, at_once, derived
from ledger.decide.issued_refund import issued_refund, settled_at_once
from ledger.policies.case import Case
from ledger.state.entities import Instance, QuoteKind
from ledger.values.instants import MINUTE
from ledger.vocabulary.commands import DowngradeInstance, QuoteInstanceDowngrade
from ledger.vocabulary.events import InstanceDowngraded, InstanceDowngradeQuoted
from ledger.vocabulary.shapes import SourceKind


def figures(case: Case, command: QuoteInstanceDowngrade | DowngradeInstance) -> RefundFigures:
    """What the downgrade would give back now, use and time left valued at the quote's instant."""
    return downgrade(
        case.the(Instance, command.instance_id),
        command.components,
        command.duration_discounts,
        now=case.now,
        valued_at=case.valued_at(QuoteKind.INSTANCE_DOWNGRADE),
        currency=case.account.currency,
        terms=case.terms,
    )


def quoted(case: Case, command: QuoteInstanceDowngrade) -> tuple[Fact, ...]:
    """The quote, with every rule that acting on it would violate."""
    found = case.figures
    assert found is not None
    quote = InstanceDowngradeQuoted(
        quote_id=derived(case, "quote"),
        instance_id=command.instance_id,
        components=command.components,
        duration_discounts=command.duration_discounts,
        violations=case.violations,
        working=found.working,
        currency=case.account.currency,
        rule=found.rule,
        gross=found.gross,
        fee=found.fee,
        amount=found.amount,
        parts=found.parts,
        expires_at=case.now + case.terms.quote_valid_minutes * MINUTE,
    )
    return at_once(case, quote)


def downgraded(case: Case, command: DowngradeInstance) -> tuple[Fact, ...]:
    """The instance runs on, smaller; beside it the refund, settled at once where it is nothing."""
    found, running = case.figures, counted_orders(case.the(Instance, command.instance_id), case.now)
    assert found is not None
    assert found.left is not None
    assert running.running is not None
    source_id, quote_id = command.instance_id, command.quote_id
    refund = issued_refund(case, SourceKind.INSTANCE, source_id, found, quote_id)
    smaller = InstanceDowngraded(
        instance_id=command.instance_id,
        order_id=running.running.order_id,
        refund_id=refund.refund_id,
        downgraded_at=case.now,
        components=command.components,
        duration_discounts=command.duration_discounts,
        left=found.left,
        currency=refund.currency,
    )
    return at_once(case, smaller, refund, *settled_at_once(refund))

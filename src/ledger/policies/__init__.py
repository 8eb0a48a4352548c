"""The rulebook: one rule per file, pure; the order of the two tuples is the precedence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ledger.policies import (
    access_ends,
    account_and_source,
    act_on_a_quote,
    actor,
    application,
    at_least_as_much,
    deadlines,
    exchange,
    existence_and_state,
    idempotency,
    instance_state,
    invoice_first,
    manual_refund,
    offline_now,
    one_account_one_writer,
    partial_quantity,
    postpaid_destroy,
    prepaid_return,
    promotion_order,
    purchase_state,
    refund_cap,
    refund_state,
    reservation_state,
    restore,
    return_quota,
    review_period,
    swap,
    three_days,
    who,
    withdraw,
)
from ledger.policies.case import Case
from ledger.refusal import Violation

Policy = Callable[[Case], Iterable[Violation]]

STOPPERS: tuple[Policy, ...] = (
    idempotency.command_id_reused,
    existence_and_state.not_found,
    existence_and_state.already_exists,
    actor.forbidden,
    instance_state.wrong_instance_state,
    purchase_state.wrong_purchase_state,
    reservation_state.wrong_reservation_state,
    refund_state.wrong_refund_state,
    access_ends.access_revoked,
    prepaid_return.already_expired,
    reservation_state.already_expired,
    offline_now.not_in_recycle_bin,
    restore.retention_elapsed,
    withdraw.not_pending,
    three_days.not_pending,
    deadlines.not_pending,
    deadlines.not_due,
)
"""The first of these that is violated ends the judging; nothing after it could be judged."""

JUDGED: tuple[Policy, ...] = (
    one_account_one_writer.currency_mismatch,
    account_and_source.account_type_not_eligible,
    postpaid_destroy.account_in_arrears,
    restore.renewal_required,
    return_quota.return_quota_exhausted,
    promotion_order.self_service_not_supported,
    review_period.review_period_over,
    review_period.not_refundable,
    application.reason_required,
    application.not_acknowledged,
    application.return_quota_exhausted,
    invoice_first.invoice_must_be_withdrawn,
    invoice_first.invoice_must_be_returned,
    manual_refund.exceeds_paid,
    who.not_owner,
    who.account_type_not_eligible,
    refund_cap.refund_cap_exceeded,
    partial_quantity.invalid_quantity,
    exchange.different_type,
    exchange.not_exchangeable,
    exchange.invalid_quantity,
    at_least_as_much.new_total_too_low,
    swap.swap_not_supported,
    act_on_a_quote.quote_required,
    act_on_a_quote.quote_expired,
    act_on_a_quote.quote_used,
    act_on_a_quote.quote_changed,
    act_on_a_quote.not_acknowledged,
)
"""All of these are judged together, and all that are violated are listed, in this order."""


def stopped(case: Case) -> tuple[Violation, ...]:
    """What the first violated stopper says; empty if the judging may go on."""
    for policy in STOPPERS:
        if violations := tuple(policy(case)):
            return violations
    return ()


def judged(case: Case) -> tuple[Violation, ...]:
    """Every violation of the policies that are judged together."""
    return tuple(violation for policy in JUDGED for violation in policy(case))

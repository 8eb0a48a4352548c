"""The policies: one rule per file, pure; the order of the two tuples is the precedence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from ledger.policies import (
    access_ends,
    account_and_source,
    act_on_a_quote,
    actor,
    application,
    at_least_as_much,
    corrections,
    deadlines,
    erasure_state,
    exchange,
    existence_and_state,
    idempotency,
    instance_state,
    invoice_first,
    manual_refund,
    offline_now,
    one_account_one_writer,
    opening_position,
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
    two_answers_of_a_gateway,
    who,
    withdraw,
)
from ledger.policies.case import Case
from ledger.values.refusal import Violation
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    CompleteOverdueMarketplaceRefund,
    ConfirmCardRefund,
    ConfirmService,
    CorrectRefund,
    DeclineMarketplaceRefund,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    DowngradeInstance,
    EraseSubject,
    ExchangeReservations,
    ExpireInstance,
    ExpireReservation,
    FailCardRefund,
    InstanceCommand,
    MarketplaceCommand,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordInstanceOrder,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
    RefundMarketplaceManually,
    RefundReservation,
    RequestMarketplaceRefund,
    ReservationCommand,
    RestoreInstance,
    ReturnInstance,
    SettleRefund,
    StartPostpaidInstance,
    SwapReservation,
    TakeInstanceOffline,
    TransferReservation,
    WithdrawMarketplaceRefund,
)

Policy = Callable[[Case], Iterable[Violation]]
Scope = tuple[type[Command], ...]
"""The commands that a policy checks; it ignores all others."""

_EVERY: Scope = Command.__args__
_RETURN: Scope = (QuoteInstanceReturn, ReturnInstance)
_CHANGE: Scope = (*_RETURN, QuoteInstanceDowngrade, DowngradeInstance)
_APPLY: Scope = (RequestMarketplaceRefund,)
_ANSWER: Scope = (
    WithdrawMarketplaceRefund,
    ApproveMarketplaceRefund,
    DeclineMarketplaceRefund,
)
_REFUND: Scope = (QuoteReservationRefund, RefundReservation)
_EXCHANGE: Scope = (QuoteReservationExchange, ExchangeReservations)
_GIVE_BACK: Scope = (*_REFUND, *_EXCHANGE)
_OWNED: Scope = (*_GIVE_BACK, SwapReservation, TransferReservation)
_ACT: Scope = (ReturnInstance, DowngradeInstance, RefundReservation, ExchangeReservations)
_GATEWAY: Scope = (ConfirmCardRefund, FailCardRefund)
_TIMED: Scope = (
    ExpireInstance,
    DestroyIsolatedInstance,
    CompleteOverdueMarketplaceRefund,
    ExpireReservation,
)
_HOLD: Scope = (
    RecordInstanceOrder,
    StartPostpaidInstance,
    RecordMarketplacePurchase,
    RecordReservationPurchase,
    *_EXCHANGE,
)

STOPPERS: tuple[tuple[Policy, Scope], ...] = (
    (idempotency.command_id_reused, _EVERY),
    (existence_and_state.not_found, _EVERY),
    (two_answers_of_a_gateway.not_found, _GATEWAY),
    (existence_and_state.already_exists, _EVERY),
    (actor.forbidden, _EVERY),
    (opening_position.wrong_opening_state, (RecordOpeningPosition,)),
    (erasure_state.wrong_erasure_state, (EraseSubject,)),
    (instance_state.wrong_instance_state, InstanceCommand.__args__),
    (purchase_state.wrong_purchase_state, MarketplaceCommand.__args__),
    (reservation_state.wrong_reservation_state, ReservationCommand.__args__),
    (refund_state.wrong_refund_state, (SettleRefund, *_GATEWAY)),
    (two_answers_of_a_gateway.wrong_answer_state, _GATEWAY),
    (corrections.wrong_correction_state, (CorrectRefund,)),
    (access_ends.access_revoked, (ConfirmService, *_APPLY, *_ANSWER)),
    (prepaid_return.already_expired, _CHANGE),
    (reservation_state.already_expired, ReservationCommand.__args__),
    (offline_now.not_in_recycle_bin, (TakeInstanceOffline, RestoreInstance)),
    (restore.retention_elapsed, (RestoreInstance,)),
    (withdraw.not_pending, _ANSWER),
    (three_days.not_pending, _ANSWER),
    (deadlines.not_pending, (CompleteOverdueMarketplaceRefund,)),
    (corrections.already_corrected, (CorrectRefund,)),
    (deadlines.not_due, _TIMED),
)
"""The first violated stopper ends the checking, because the rules after it could not be checked."""

JUDGED: tuple[tuple[Policy, Scope], ...] = (
    (one_account_one_writer.currency_mismatch, _EVERY),
    (account_and_source.account_type_not_eligible, _HOLD),
    (postpaid_destroy.account_in_arrears, (DestroyPostpaidInstance,)),
    (restore.renewal_required, (RestoreInstance,)),
    (return_quota.return_quota_exhausted, _RETURN),
    (promotion_order.self_service_not_supported, _CHANGE),
    (review_period.review_period_over, _APPLY),
    (review_period.not_refundable, _APPLY),
    (application.reason_required, _APPLY),
    (application.not_acknowledged, _APPLY),
    (application.return_quota_exhausted, _APPLY),
    (invoice_first.invoice_must_be_withdrawn, (*_APPLY, RefundMarketplaceManually)),
    (invoice_first.invoice_must_be_returned, (*_APPLY, RefundMarketplaceManually)),
    (manual_refund.exceeds_paid, (RefundMarketplaceManually,)),
    (who.not_owner, _OWNED),
    (who.account_type_not_eligible, _OWNED),
    (refund_cap.refund_cap_exceeded, _REFUND),
    (partial_quantity.invalid_quantity, _GIVE_BACK),
    (exchange.different_type, _EXCHANGE),
    (exchange.not_exchangeable, _EXCHANGE),
    (exchange.invalid_quantity, _EXCHANGE),
    (at_least_as_much.new_total_too_low, _EXCHANGE),
    (swap.swap_not_supported, (SwapReservation,)),
    (act_on_a_quote.quote_required, _ACT),
    (act_on_a_quote.quote_expired, _ACT),
    (act_on_a_quote.quote_used, _ACT),
    (act_on_a_quote.quote_changed, _ACT),
    (act_on_a_quote.not_acknowledged, (*_ACT, DestroyPostpaidInstance)),
)
"""These are checked together, and all violated ones are listed, in this order."""


def stopped(case: Case) -> tuple[Violation, ...]:
    """The violations of the first violated stopper; empty if the checking may continue."""
    for policy in _concerned(type(case.command))[0]:
        if violations := tuple(policy(case)):
            return violations
    return ()


def judged(case: Case) -> tuple[Violation, ...]:
    """All violations of the policies that are checked together."""
    policies = _concerned(type(case.command))[1]
    return tuple(violation for policy in policies for violation in policy(case))


@cache
def _concerned(command: type[Command]) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """The stoppers and the other policies for a command, each in the order of its tuple."""
    stoppers = tuple(policy for policy, scope in STOPPERS if command in scope)
    return stoppers, tuple(policy for policy, scope in JUDGED if command in scope)

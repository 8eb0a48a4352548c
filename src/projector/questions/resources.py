"""Queries about instances, reservations and applications."""

from __future__ import annotations

from projector.questions.question import Keys, Question, columns

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="instances",
        about="the instances, their state, and the end of their paid time",
        view="finance.instances",
        columns=columns(
            "account_id instance_id billing product region state ends_at:INSTANT"
            " recorded_at:INSTANT"
        ),
        order="account_id instance_id",
    ),
    Question(
        name="recycle-bin",
        about="every stay in the recycle bin: why, until when, how it ended",
        view="finance.recycle_bin",
        columns=columns(
            "account_id instance_id reason state isolated_at:INSTANT restore_until:INSTANT"
            " time_left:SPAN averted_by restored_at:INSTANT destroyed_at:INSTANT"
            " destroyed_because refund_id refund_currency refund_amount:MONEY isolation_id"
        ),
        order="account_id isolated_at instance_id isolation_id",
        keys=Keys(sources=("finance.events WHERE event_name = 'InstanceIsolated'",)),
        at="finance.recycle_bin_at",
        by_events_alone=False,
    ),
    Question(
        name="reservations",
        about="the reservations, and their remaining value today",
        view="finance.reservations",
        columns=columns(
            "account_id reservation_id state product_type sku region product_family"
            " exchangeable:FLAG quantity:NUMBER original_quantity:NUMBER term_months:NUMBER"
            " starts_on:DAY ends_on:DAY currency total:MONEY billing_plan instalment:NUMBER"
            " remaining_days:NUMBER period_days:NUMBER remaining_value:MONEY"
            " remaining_commitment:MONEY payment_method term_id invoice_id card_id owners:JSON"
            " bought_in_exchange:FLAG purchased_at:INSTANT"
        ),
        order="account_id starts_on reservation_id",
        keys=Keys(sources=("finance.reservation_holdings",)),
        by_events_alone=False,
    ),
    Question(
        name="marketplace-requests",
        about="applications for a marketplace refund, and when they are due",
        view="finance.marketplace_requests",
        columns=columns(
            "account_id purchase_id request_id product_kind vendor_id buyer_id reason state"
            " requested_at:INSTANT due_at:INSTANT time_left:SPAN approved_at:INSTANT"
            " auto_approved:FLAG held_at:INSTANT held_by_invoice ended_at:INSTANT note refund_id"
            " refund_currency refund_amount:MONEY"
        ),
        order="account_id requested_at request_id",
        keys=Keys(sources=("finance.events WHERE event_name = 'MarketplaceRefundRequested'",)),
        of_vendors=True,
        by_events_alone=False,
    ),
)
"""In the order they are listed."""

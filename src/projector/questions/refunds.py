"""Queries about refunds: their progress and their totals."""

from __future__ import annotations

from projector.questions.question import Keys, Question, columns

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="refunds",
        about="every refund: its source, rule, amount and state",
        view="finance.refunds",
        columns=columns(
            "account_id refund_id source_kind source_id rule state currency gross:MONEY fee:MONEY"
            " amount:MONEY cash:MONEY gift:MONEY original:MONEY overpaid:MONEY issued_at:INSTANT"
            " occurred_at:INSTANT expected_arrival_at:INSTANT settled_at:INSTANT held_because"
            " corrected_at:INSTANT corrected_because auto_approved:FLAG quota_spent:FLAG ticket"
            " command_id working:JSON"
        ),
        order="account_id issued_at refund_id",
    ),
    Question(
        name="refund-progress",
        about="the steps of each refund",
        view="finance.refund_progress",
        columns=columns(
            "account_id refund_id step:NUMBER event_name attempt:NUMBER reference reason actor_role"
            " recorded_at:INSTANT occurred_at:INSTANT command_id"
        ),
        order="account_id refund_id step",
        keys=Keys(
            columns=("account_id", "refund_id"),
            sources=(
                "(SELECT account_id, body ->> 'refund_id' AS refund_id FROM finance.events"
                " WHERE body ? 'refund_id')",
                "(SELECT account_id, leg ->> 'refund_id' AS refund_id FROM finance.events"
                " CROSS JOIN LATERAL jsonb_array_elements(body -> 'returned') leg"
                " WHERE event_name = 'ReservationExchanged')",
            ),
        ),
    ),
    Question(
        name="overpaid-refunds",
        about="what the card gateway paid though it was not owed any more",
        view="finance.overpaid_refunds",
        columns=columns(
            "account_id refund_id source_kind source_id attempt:NUMBER card_id gateway_reference"
            " gateway_reason reason currency amount:MONEY recorded_at:INSTANT"
            " occurred_at:INSTANT reversed_at:INSTANT command_id"
        ),
        order="account_id log_sequence",
        keys=Keys(sources=("finance.events WHERE event_name = 'RefundOverpaid'",)),
    ),
    Question(
        name="documents",
        about="credit memos, invoices and held credits",
        view="finance.documents",
        columns=columns(
            "account_id kind document_id state refund_id currency amount:MONEY open_amount:MONEY"
            " issued_at:INSTANT ended_at:INSTANT lines:JSON"
        ),
        order="account_id issued_at? kind document_id",
        keys=Keys(
            sources=tuple(
                f"finance.events WHERE event_name = '{name}'"
                for name in (
                    "CreditHeld",
                    "CreditMemoIssued",
                    "InvoiceCancelled",
                    "InvoiceIssued",
                    "OpeningPositionRecorded",
                )
            )
        ),
    ),
    Question(
        name="annual-refund-totals",
        about="the refunds of the last 365 days, and how much of them uses the cap",
        view="finance.annual_refund_totals",
        columns=columns(
            "account_id currency refunds:NUMBER amount:MONEY cap_usd:MONEY cap_basis"
            " refund_usd:MONEY refund_left_usd:MONEY next_release_at:INSTANT"
            " next_release_usd:MONEY cancelled_commitment_usd:MONEY commitment_left_usd:MONEY"
            " commitment_next_release_at:INSTANT commitment_next_release_usd:MONEY"
        ),
        order="account_id",
        keys=Keys(sources=("finance.accounts",)),
        at="finance.annual_refund_totals_at",
        by_events_alone=False,
    ),
    *(
        Question(
            name=f"refund-totals-by-{kind}-year",
            about=f"the refunds in each {kind} year, on both bases of the cap",
            view=f"finance.refund_totals_by_{kind}_year",
            columns=columns(
                "account_id year_starts_on:DAY year_ends_on:DAY currency refunds:NUMBER"
                " amount:MONEY cap_usd:MONEY refund_usd:MONEY refund_left_usd:MONEY"
                " cancelled_commitment_usd:MONEY commitment_left_usd:MONEY"
                " next_release_at:INSTANT next_release_usd:MONEY"
                " commitment_next_release_usd:MONEY"
            ),
            order="account_id year_starts_on currency",
            keys=Keys(
                sources=(
                    "finance.refunds",
                    "finance.events WHERE event_name = 'OpeningPositionRecorded'",
                )
            ),
            by_events_alone=False,
        )
        for kind in ("calendar", "fiscal")
    ),
)
"""In the order they are listed."""

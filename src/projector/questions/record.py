"""Queries about decisions, terms, and the projector's progress."""

from __future__ import annotations

from projector.questions.question import Keys, Question, columns

_OUTCOMES = """(
SELECT o.*, e.sequence FROM finance.outcomes o
JOIN finance.events e ON e.partition = o.partition AND e.log_sequence = o.log_sequence)"""
"""With the number of the first event in its account, by which an index has them in order."""

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="outcomes",
        about="the outcome of each command: its events, or its refusal",
        view=_OUTCOMES,
        columns=columns(
            "account_id command_id command_type refused:FLAG event_names:TEXTS event_ids:TEXTS"
            " quote_id quote_currency quote_amount:MONEY recorded_at:INSTANT command_digest"
        ),
        order="account_id sequence command_id",
        keys=Keys(
            columns=("account_id", "sequence", "command_id"),
            sources=("finance.events WHERE event_index = 0",),
        ),
    ),
    Question(
        name="refusals",
        about="every rule that a refused command violated, with the compared figures",
        view="finance.refusals",
        columns=columns(
            "account_id command_id command_type position:NUMBER rule code message figures:JSON"
            " actor_id actor_role refused_at:INSTANT"
        ),
        order="account_id refused_at log_sequence position",
    ),
    Question(
        name="refusals-by-rule",
        about="how often each rule refused which command",
        view="finance.refusals",
        columns=columns(
            "rule code command_type refusals:NUMBER accounts:NUMBER first_at:INSTANT"
            " last_at:INSTANT"
        ),
        expressions={
            "refusals": "count(*)",
            "accounts": "count(DISTINCT account_id)",
            "first_at": "min(refused_at)",
            "last_at": "max(refused_at)",
        },
        group_by="rule, code, command_type",
        order="-refusals rule code command_type",
        whole="finance.refusals_by_rule",
    ),
    Question(
        name="events",
        about="every event of the log",
        view="finance.events",
        columns=columns(
            "account_id sequence:NUMBER event_name occurred_at:INSTANT recorded_at:INSTANT"
            " command_id actor_id actor_role approved_by terms event_id body:JSON"
        ),
        order="account_id sequence",
    ),
    Question(
        name="terms",
        about="the numbers that the views use, by version",
        view="finance.terms",
        columns=columns(
            "version effective_from:INSTANT time_zone full_refunds_per_account:NUMBER"
            " ordinary_returns_per_account:NUMBER marketplace_refunds_per_account:NUMBER"
            " cap_usd:MONEY cap_window_days:NUMBER cap_basis not_exchangeable:JSON families:JSON"
        ),
        order="position",
        of_accounts=False,
        by_events_alone=False,
    ),
    Question(
        name="reached",
        about="the progress of the views, and the instant up to which the past is complete",
        view="finance.reached",
        columns=columns(
            "partition:NUMBER events:NUMBER last_recorded_at:INSTANT reached_until:INSTANT"
        ),
        order="partition",
        of_accounts=False,
        by_events_alone=False,
    ),
)
"""In the order they are listed."""

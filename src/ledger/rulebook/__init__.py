"""The rulebook's table of contents: every rule by its name, its source, home, terms and codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from importlib import import_module
from inspect import cleandoc

from msgspec import Struct

from ledger.policies import JUDGED, STOPPERS
from ledger.values.refusal import Code
from ledger.vocabulary.commands import COMMANDS

OURS = "decided for this ledger"
ONLINE, MARKET, HELD = "seed 000", "seed 001", "seed 003"
_POLICIES, _CALCULATIONS = "ledger.policies.", "ledger.calculations."


class RuleKind(StrEnum):
    """What a rule does: refuse, compute, change state, or be a number; or hold for all of them."""

    POLICY = "policy"
    CALCULATION = "calculation"
    STATE = "state"
    TERM = "term"
    GROUND = "ground"


class Rule(Struct, frozen=True, kw_only=True):
    """A rule: where it lives (module names, its own first), and the terms it takes numbers from."""

    name: str
    source: str
    homes: tuple[str, ...]
    terms: tuple[str, ...] = ()
    says: str
    ground: bool = False

    @property
    def kinds(self) -> tuple[RuleKind, ...]:
        """What it does, by where it lives."""
        if self.ground:
            return (RuleKind.GROUND,)
        if self.homes == ("ledger.terms.table",):
            return (RuleKind.TERM,)
        own = tuple(
            kind
            for kind, room in (
                (RuleKind.POLICY, _POLICIES),
                (RuleKind.CALCULATION, _CALCULATIONS),
            )
            if any(home.startswith(room) for home in self.homes)
        )
        return own or (RuleKind.STATE,)

    @property
    def codes(self) -> tuple[Code, ...]:
        """What it refuses with, in order of precedence."""
        return tuple(dict.fromkeys(code for code, _ in _refusals().get(self.name, ())))

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands its policies look at, in the order of the vocabulary."""
        named = {command for _, scope in _refusals().get(self.name, ()) for command in scope}
        return tuple(command for command in COMMANDS if command in named)


def _policy(name: str, source: str, *more: str, terms: tuple[str, ...] = ()) -> Rule:
    return _rule(name, source, _POLICIES + name, *more, terms=terms)


def _calculation(name: str, source: str, *more: str, terms: tuple[str, ...] = ()) -> Rule:
    return _rule(name, source, _CALCULATIONS + name, *more, terms=terms)


def _rule(name: str, source: str, *homes: str, terms: tuple[str, ...] = ()) -> Rule:
    """A rule that says what the docstring of its first home says."""
    said = cleandoc(import_module(homes[0]).__doc__ or "").partition(": ")[2]
    return Rule(
        name=name,
        source=source,
        homes=homes,
        terms=terms,
        says=said.split("\n\n")[0].replace("\n", " "),
    )


def _state(name: str, source: str, says: str, *homes: str, terms: tuple[str, ...] = ()) -> Rule:
    return Rule(name=name, source=source, homes=homes, terms=terms, says=says)


def _ground(name: str, says: str, *homes: str, terms: tuple[str, ...] = ()) -> Rule:
    return Rule(name=name, source=OURS, homes=homes, terms=terms, says=says, ground=True)


_RETENTION = ("prepaid_retention_hours", "postpaid_retention_hours")
_QUOTAS = ("full_refunds_per_account", "ordinary_returns_per_account")

COMMON: tuple[Rule, ...] = (
    _ground(
        "money",
        "whole minor units, never a float; rounded once, half up, per amount.",
        "ledger.values.money",
    ),
    _policy("one_account_one_writer", OURS),
    _ground(
        "the_deciding_instant",
        "a command is decided at the broker's append time; replay reads no clock.",
        "ledger.vocabulary.envelope",
    ),
    _policy("idempotency", OURS),
    _ground(
        "refusal_is_a_fact",
        "a refusal is an event with every violated rule; it changes no money and no state.",
        "ledger.values.refusal",
    ),
    _ground(
        "precedence",
        "the first violated stopper ends the checking; all other rules are checked together.",
        "ledger.policies",
    ),
    _policy(
        "existence_and_state",
        OURS,
        "ledger.policies.instance_state",
        "ledger.policies.purchase_state",
        "ledger.policies.reservation_state",
        "ledger.policies.refund_state",
        "ledger.policies.erasure_state",
    ),
    _policy("actor", OURS),
    _policy("account_and_source", f"{ONLINE}, {MARKET}, {HELD}"),
    _calculation("never_twice", OURS),
    _ground(
        "vouchers",
        "vouchers and coupons are never returned, and do not count as paid.",
        "ledger.vocabulary.shapes",
    ),
    _policy("corrections", OURS, "ledger.state.corrections"),
    _ground(
        "terms",
        "every number has a version and an effective date; a decision stores the version.",
        "ledger.terms.table",
        terms=("version", "effective_from"),
    ),
    _ground(
        "quote",
        "a quote is the same decision without consequences, and it expires.",
        "ledger.decide",
        terms=("quote_valid_minutes",),
    ),
    _policy(
        "act_on_a_quote",
        f"{ONLINE}, {HELD}",
        "ledger.policies.quote_comparison",
        terms=("quote_valid_minutes",),
    ),
    _policy("deadlines", OURS),
    _ground(
        "eligibility",
        "the decision itself computes what can be done now with an entity; nothing is recorded.",
        "ledger.eligibility",
    ),
    _policy(
        "opening_position",
        OURS,
        "ledger.calculations.opening_position",
        "ledger.state.accounts",
    ),
)

INSTANCES: tuple[Rule, ...] = (
    _policy(
        "prepaid_return",
        ONLINE,
        "ledger.calculations.prepaid_return",
        "ledger.calculations.counted_orders",
        "ledger.calculations.instance_refund",
        terms=("prepaid_retention_hours",),
    ),
    _policy("postpaid_destroy", ONLINE, terms=("postpaid_retention_hours",)),
    _state(
        "charges_stop",
        ONLINE,
        "no charge accrues from the isolation on.",
        "ledger.decide.instances",
    ),
    _policy("restore", ONLINE, terms=_RETENTION),
    _state(
        "retention_elapsed",
        ONLINE,
        "after the window the instance is destroyed, unless it was renewed.",
        "ledger.decide.instances",
        "ledger.state.instances",
        terms=_RETENTION,
    ),
    _policy("offline_now", ONLINE),
    _state(
        "expiry",
        ONLINE,
        "a prepaid instance that is not renewed goes to the recycle bin at its expiry.",
        "ledger.decide.instances",
        "ledger.state.instances",
        terms=("prepaid_retention_hours",),
    ),
    _state(
        "late_news",
        ONLINE,
        "an order that has ended before it is recorded does not destroy an instance at once.",
        "ledger.decide.instances",
        "ledger.state.instances",
        terms=("prepaid_retention_hours",),
    ),
    _calculation(
        "five_days_no_reason", ONLINE, terms=("five_days_hours", "full_refunds_per_account")
    ),
    _calculation(
        "ordinary_return",
        ONLINE,
        "ledger.calculations.value_used",
        "ledger.calculations.ratio_split",
        "ledger.calculations.return_value",
        terms=("time_zone",),
    ),
    _calculation("upgrade", ONLINE, "ledger.decide.instances", terms=("upgrade_use_until",)),
    _calculation(
        "downgrade",
        ONLINE,
        "ledger.decide.downgrades",
        "ledger.state.instances",
        terms=("time_zone",),
    ),
    _state(
        "conversion",
        ONLINE,
        "a running postpaid instance becomes prepaid by an order of kind CONVERSION.",
        "ledger.decide.instances",
        "ledger.state.instances",
    ),
    _policy("return_quota", ONLINE, terms=_QUOTAS),
    _policy(
        "promotion_order", ONLINE, "ledger.calculations.promotion_order", terms=("promotion_fee",)
    ),
)

MARKETPLACE: tuple[Rule, ...] = (
    _policy(
        "review_period",
        MARKET,
        "ledger.calculations.review_period",
        terms=("review_days", "time_zone"),
    ),
    _policy("application", MARKET, terms=("self_service_refunds_per_account",)),
    _state(
        "vendor_agrees",
        MARKET,
        "the vendor approves and the system completes, or declines with a note.",
        "ledger.decide.marketplace",
    ),
    _policy(
        "three_days",
        MARKET,
        "ledger.calculations.three_days",
        terms=("completion_days", "time_zone"),
    ),
    _policy("withdraw", MARKET, terms=("completion_days",)),
    _policy("invoice_first", MARKET),
    _calculation("paid_only", MARKET),
    _policy("access_ends", MARKET),
    _policy("manual_refund", MARKET, "ledger.calculations.manual_refund"),
    _state(
        "arrival",
        MARKET,
        "the credit is shown about half an hour later; no rule depends on it.",
        "ledger.terms.table",
        terms=("arrival_minutes",),
    ),
)

RESERVATIONS: tuple[Rule, ...] = (
    _policy("who", HELD),
    _calculation("prorated_value", HELD, "ledger.calculations.reservation_refund"),
    _calculation("remaining_commitment", HELD),
    _policy(
        "refund_cap",
        HELD,
        "ledger.calculations.refund_cap",
        terms=("cap_usd", "cap_window_days", "cap_basis"),
    ),
    _calculation("termination_fee", HELD, terms=("termination_fee",)),
    _policy(
        "partial_quantity",
        HELD,
        "ledger.calculations.partial_quantity",
        terms=("partial_rounding",),
    ),
    _policy(
        "exchange", HELD, "ledger.calculations.exchange", terms=("families", "not_exchangeable")
    ),
    _policy("at_least_as_much", HELD),
    _state(
        "two_transactions",
        HELD,
        "an exchange is one event with two transactions: a cancellation and a purchase.",
        "ledger.postings",
        "ledger.decide.reservations",
    ),
    _policy("swap", HELD, terms=("swaps",)),
)

SETTLEMENT: tuple[Rule, ...] = (
    _state(
        "settle_to_the_balance",
        f"{ONLINE}, {MARKET}",
        "an online account's refund is credited to its balance, cash and gift separately.",
        "ledger.decide.settlement",
    ),
    _calculation("settle_to_the_commitment", HELD, "ledger.decide.settlement"),
    _state(
        "settle_by_credit_memo",
        HELD,
        "a refund of a reservation bought as overage is paid by a credit memo.",
        "ledger.decide.settlement",
    ),
    _calculation("settle_by_invoice", HELD, "ledger.decide.invoices", "ledger.state.invoices"),
    _state(
        "what_stays_stays_invoiced",
        HELD,
        "purchases that are not returned are carried to the new invoice, with price and refunds.",
        "ledger.state.invoice_contents",
        "ledger.state.invoices",
    ),
    _state(
        "settle_to_the_card",
        HELD,
        "the gateway pays to the original card; otherwise the refund waits for support.",
        "ledger.decide.settlement",
    ),
    _policy(
        "two_answers_of_a_gateway",
        OURS,
        "ledger.decide.gateway_answers",
        "ledger.state.card_attempts",
    ),
    _state(
        "what_was_said_is_kept",
        OURS,
        "every free text of a command is stored in an event, also the gateway's reason.",
        "ledger.decide.gateway_answers",
    ),
    _state(
        "a_refund_of_nothing",
        OURS,
        "a refund of 0 is settled at once and has no postings.",
        "ledger.state.refunds",
    ),
)

RULES: dict[str, Rule] = {
    rule.name: rule for rule in (*COMMON, *INSTANCES, *MARKETPLACE, *RESERVATIONS, *SETTLEMENT)
}
"""Every rule by its name, common ground first."""


def rule_of(policy: Callable[..., object]) -> str:
    """The rule that a policy belongs to: that of whose homes its module is one."""
    return next(
        name for name, rule in RULES.items() if policy.__module__ in rule.homes and not rule.ground
    )


def code_of(policy: Callable[..., object]) -> Code:
    """A policy is named for its code; those of states say of what."""
    if re.fullmatch(r"wrong_\w+_state", policy.__name__):
        return Code.WRONG_STATE
    return Code(policy.__name__.upper())


@cache
def _refusals() -> dict[str, tuple[tuple[Code, frozenset[str]], ...]]:
    found: dict[str, list[tuple[Code, frozenset[str]]]] = {}
    for policy, scope in (*STOPPERS, *JUDGED):
        named = frozenset(command.__name__ for command in scope)
        found.setdefault(rule_of(policy), []).append((code_of(policy), named))
    return {name: tuple(each) for name, each in found.items()}

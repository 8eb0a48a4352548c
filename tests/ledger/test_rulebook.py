"""The rulebook's table of contents has every rule, and nothing that is no rule."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest

import ledger.calculations
import ledger.policies
from ledger.policies import JUDGED, STOPPERS
from ledger.rulebook import (
    COMMON,
    INSTANCES,
    MARKETPLACE,
    RESERVATIONS,
    RULES,
    SETTLEMENT,
    RuleKind,
    code_of,
    rule_of,
)
from ledger.rulebook.numbers import numbers
from ledger.terms.table import Terms, released_terms
from ledger.values.refusal import Code
from tests.house.tree import ROOT
from tools.reference.codes import HEADING

PARTS = {
    "common": COMMON,
    "instances": INSTANCES,
    "marketplace": MARKETPLACE,
    "reservations": RESERVATIONS,
    "settlement": SETTLEMENT,
}
NO_RULES = {"ledger.policies.case", "ledger.calculations.figures", "ledger.calculations.working"}


@pytest.mark.parametrize("page", PARTS)
def test_the_rules_of_a_part_are_those_of_its_page(page: str) -> None:
    text = (ROOT / "docs" / "rules" / f"{page}.md").read_text("utf-8")
    assert {rule.name for rule in PARTS[page]} == set(HEADING.findall(text))


def test_no_rule_is_there_twice() -> None:
    assert list(RULES) == [rule.name for part in PARTS.values() for rule in part]


def test_every_policy_and_every_calculation_is_at_home_in_a_rule() -> None:
    files = {
        f"{package.__name__}.{module.name}"
        for package in (ledger.policies, ledger.calculations)
        for module in iter_modules(package.__path__)
    }
    homes = {home for rule in RULES.values() for home in rule.homes}
    rooms = ("ledger.policies.", "ledger.calculations.")
    assert {home for home in homes if home.startswith(rooms)} == files - NO_RULES


def test_every_home_is_there() -> None:
    for rule in RULES.values():
        for home in rule.homes:
            import_module(home)


def test_a_rule_that_refuses_or_computes_lives_under_its_own_name() -> None:
    for rule in RULES.values():
        if {RuleKind.POLICY, RuleKind.CALCULATION} & set(rule.kinds):
            assert rule.homes[0].rpartition(".")[2] == rule.name


def test_exactly_the_policies_refuse() -> None:
    for rule in RULES.values():
        assert bool(rule.codes) == (RuleKind.POLICY in rule.kinds), rule.name
        assert bool(rule.commands) == (RuleKind.POLICY in rule.kinds), rule.name


def test_each_code_is_that_of_some_rule() -> None:
    assert {code for rule in RULES.values() for code in rule.codes} >= set(Code)


def test_each_policy_belongs_to_the_rule_that_lists_its_code() -> None:
    for policy, scope in (*STOPPERS, *JUDGED):
        rule = RULES[rule_of(policy)]
        assert code_of(policy) in rule.codes
        assert {command.__name__ for command in scope} <= set(rule.commands)


def test_every_number_of_the_terms_is_that_of_some_rule() -> None:
    used = {name for rule in RULES.values() for name in rule.terms}
    assert used == set(Terms.__struct_fields__)


def test_numbers_stand_in_the_unit_of_their_name() -> None:
    terms = released_terms().at(0)
    assert numbers(RULES["refund_cap"], terms) == {
        "cap_usd": "50000.00",
        "cap_window_days": 365,
        "cap_basis": "REFUND",
    }
    assert numbers(RULES["promotion_order"], terms) == {"promotion_fee": "0.25"}
    assert numbers(RULES["terms"], terms) == {
        "version": "1",
        "effective_from": "1970-01-01T00:00:00Z",
    }
    exchange = numbers(RULES["exchange"], terms)
    assert exchange["not_exchangeable"] == ["DatabricksPrepurchase", "RedHat", "SuseLinux"]


def test_every_rule_says_something_and_names_its_source() -> None:
    sources = {"seed 000", "seed 001", "seed 003", "decided for this ledger"}
    for rule in RULES.values():
        assert rule.says.endswith("."), rule
        assert set(rule.source.split(", ")) <= sources, rule

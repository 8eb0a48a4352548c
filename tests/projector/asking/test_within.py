"""What a person may see, as a condition of a query."""

from __future__ import annotations

import pytest

from projector.asking.within import NotTheirs, Within, condition
from projector.questions import QUESTIONS, Question

REQUESTS, BALANCES, TERMS = (QUESTIONS[x] for x in ("marketplace-requests", "balances", "terms"))


@pytest.mark.parametrize(
    ("account", "has"),
    [("a-1", True), ("a-12", False), ("eu-", True), ("eu-7", True), ("e", False), ("*", False)],
)
def test_an_account_is_named_whole_or_by_its_beginning(account: str, has: bool) -> None:
    assert Within(accounts=("a-1", "eu-*")).has(account) is has


def test_nobody_with_nothing_has_an_account() -> None:
    assert not Within().has("")
    assert not Within(vendors=("a",)).has("a")
    assert not Within(accounts=("",)).has("a")


def test_one_account_is_asked_about_as_everybody_asks() -> None:
    text, values = condition(Within(accounts=("a-1",)), BALANCES)
    assert (text, values) == ('(account_id = %(account_id)s COLLATE "C")', {"account_id": "a-1"})


def test_several_are_compared_in_the_order_of_the_indexes() -> None:
    text, values = condition(Within(accounts=("a", "eu-*"), vendors=("v",)), REQUESTS)
    assert text == (
        '(account_id = ANY(%(own_accounts)s::text[] COLLATE "C")'
        ' OR (account_id >= %(own_from_0)s COLLATE "C" AND account_id < %(own_to_0)s COLLATE "C")'
        " OR vendor_id = ANY(%(own_vendors)s::text[]))"
    )
    assert values["own_accounts"] == ["a"]
    assert (values["own_from_0"], values["own_to_0"]) == ("eu-", "eu-\U0010ffff")


@pytest.mark.parametrize(
    ("within", "question"),
    [
        (Within(), BALANCES),
        (Within(vendors=("v",)), BALANCES),
        (Within(accounts=("a",)), TERMS),
    ],
)
def test_what_is_nobodys_is_not_shown(within: Within, question: Question) -> None:
    with pytest.raises(NotTheirs):
        condition(within, question)

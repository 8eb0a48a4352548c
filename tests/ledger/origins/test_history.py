"""The table's history: what may follow on what, and what each version proves."""

from __future__ import annotations

import json

import pytest

from ledger.origins.history import Change, KeyAdded, ModeSet, OriginHistory, next_line, read_history
from ledger.origins.table import OWN, Mode
from ledger.values.instants import DAY
from ledger.vocabulary.shapes import Role
from tests.ledger.origins.tables import (
    ED25519,
    REQUIRED,
    ended,
    history_of,
    key,
    origin,
    text_of,
)


def test_without_lines_nothing_is_asked_of_a_command() -> None:
    assert read_history("").newest.mode is Mode.OPEN
    assert (read_history("").newest.version, read_history("").newest.origins) == ("", {})


def test_each_line_is_a_version_with_the_hash_of_all_before_it() -> None:
    history = history_of(*REQUIRED)
    numbers = [table.version.partition(":")[0] for table in history.tables]
    assert numbers == ["", "1", "2", "3", "4", "5"]
    assert [table.mode for table in history.tables[-2:]] == [Mode.OPEN, Mode.REQUIRED]
    for table in history.tables:
        assert history.version(table.version) == table
        assert table.version in history


def test_another_history_has_other_versions() -> None:
    history, other = history_of(*REQUIRED), history_of(origin("other"))
    assert other.newest.version not in history
    assert history.newest.version not in other


@pytest.mark.parametrize("version", ["1", "1:", "-1:", "x:y", "9:" + "0" * 64, "²:0", None])
def test_what_is_no_version_of_it_is_not_found(version: str | None) -> None:
    assert version not in history_of(*REQUIRED)


@pytest.mark.parametrize("number", range(5))
def test_a_changed_line_breaks_the_chain(number: int) -> None:
    lines = text_of(*REQUIRED).splitlines(keepends=True)
    changed = json.loads(lines[number]) | {"by": "somebody else"}
    lines[number] = json.dumps(changed) + "\n"
    if number == 4:
        before, now = history_of(*REQUIRED), read_history("".join(lines))
        assert now.newest.version not in before
    else:
        with pytest.raises(ValueError, match=rf"line {number + 2}: previous is"):
            read_history("".join(lines))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rubbish\n", "line 1: JSON is malformed"),
        ('{"at": ""}', "line 1: it has no end; restore the file from a copy"),
        ('{"at": ""}\n', "line 1: Object missing required field `by`"),
    ],
)
def test_what_is_no_line_is_told_with_its_number(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_history(text)


BAD_PROOF = KeyAdded(
    origin="billing", key_id="k2", algorithm=ED25519, proof="00", valid_from="1970-01-01T00:00:00Z"
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (origin("Billing"), "origin 'Billing': a name has"),
        (origin("a/b"), "origin 'a/b': a name has"),
        (origin("x", Role.SYSTEM), "'ledger' has the role SYSTEM alone, no other has it"),
        (origin(OWN), "'ledger' has the role SYSTEM alone"),
        (origin(OWN, Role.SYSTEM, Role.BILLING), "'ledger' has the role SYSTEM alone"),
        (origin("x", commands=("Refund",)), "there is no command 'Refund'"),
        (origin("x", commands=()), "it has no command"),
        (origin("x", accounts=()), "it has no account"),
        (origin("x", accounts=("a*b",)), "account 'a\\*b' is neither an id nor"),
        (origin("x", accounts=("",)), "account '' is neither"),
        (key("nobody"), "there is no origin 'nobody'; there are: ledger, billing"),
        (key("billing"), "has a key 'k1'; a key never changes"),
        (key("billing", "K"), "key 'K': a name has"),
        (BAD_PROOF, "its proof has 1 bytes, not 32"),
        (ended("billing", "k9", DAY), "has no key 'k9'; it has: k1"),
        (ended("nobody", "k1", DAY), "there is no origin 'nobody'"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change: Change, why: str) -> None:
    history = history_of(*REQUIRED)
    with pytest.raises(ValueError, match=why):
        next_line(history, change, at=0, by="a test")


def test_an_origin_without_a_key_has_none_to_end() -> None:
    with pytest.raises(ValueError, match="has no key 'k1'; it has: none"):
        next_line(history_of(origin("x")), ended("x", "k1", 0), at=0, by="a test")


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.REQUIRED])
@pytest.mark.parametrize("before", [(), (origin(OWN, Role.SYSTEM),)])
def test_nothing_is_asked_for_before_the_ledger_itself_can_sign(
    mode: Mode, before: tuple[Change, ...]
) -> None:
    with pytest.raises(ValueError, match="origin 'ledger' has no key"):
        next_line(history_of(*before), ModeSet(mode=mode), at=0, by="a test")


def test_it_may_be_opened_again_and_the_history_shows_it() -> None:
    history = history_of(*REQUIRED, ModeSet(mode=Mode.OPEN))
    assert [table.mode for table in history.tables[-2:]] == [Mode.REQUIRED, Mode.OPEN]


def test_two_keys_are_valid_at_once_and_a_third_is_refused() -> None:
    history = history_of(*REQUIRED, key("billing", "k2", since=DAY))
    with pytest.raises(ValueError, match="the keys k1, k2, k3 would be valid at once"):
        next_line(history, key("billing", "k3", since=2 * DAY), at=0, by="a test")
    with pytest.raises(ValueError, match="would be valid at once, at 1970-01-02T00:00:00Z"):
        next_line(history, key("billing", "k3"), at=0, by="a test")
    later = history_of(
        *REQUIRED,
        key("billing", "k2", since=DAY, until=3 * DAY),
        ended("billing", "k1", 2 * DAY),
        key("billing", "k3", since=2 * DAY),
    )
    keys = later.newest.origins["billing"].keys.values()
    valid = [[each.key_id for each in keys if each.valid_at(day * DAY)] for day in range(4)]
    assert valid == [["k1"], ["k1", "k2"], ["k2", "k3"], ["k3"]]


def test_an_origin_set_again_keeps_its_keys() -> None:
    history = history_of(*REQUIRED, origin("billing", Role.BILLING, accounts=("eu-*", "acct-1")))
    found = history.newest.origins["billing"]
    assert list(found.keys) == ["k1"]
    assert [found.may_use(each) for each in ("eu-1", "eu-", "acct-1", "acct-11", "us")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_nothing_is_a_member_but_a_version() -> None:
    assert 5 not in OriginHistory()

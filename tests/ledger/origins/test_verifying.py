"""A signature holds for one command, in one ledger, by a valid key of who may give it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.origins.history import Change, ModeSet
from ledger.origins.signing import ORIGIN, SIGNATURE, Signer
from ledger.origins.table import OWN, Algorithm, Mode
from ledger.origins.verifying import Proven, Unproven, Verifier
from ledger.values.instants import DAY, Instant
from ledger.vocabulary.commands import OpenAccount, SetAccountStanding, SettleRefund
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import AccountType, Actor, Role
from tests.ledger.origins.tables import (
    ED25519,
    HMAC,
    LEDGER_ID,
    REQUIRED,
    ended,
    history_of,
    key,
    origin,
    secrets_of,
    signer,
)

VALUE = b"the value of the record"
OPENING = GivenCommand(
    meta=CommandMeta(
        command_id="open", account_id="acct-1", actor=Actor(id="u", role=Role.BILLING)
    ),
    body=OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY"),
)
BILLING = Proven(origin="billing", key_id="k1")
Headers = tuple[tuple[str, bytes], ...]


def verifier(*changes: Change, ledger_id: str = LEDGER_ID) -> Verifier:
    history = history_of(*REQUIRED, *changes)
    return Verifier(history, secrets_of(history), ledger_id)


def headers(by: Signer | None = None, given: GivenCommand = OPENING) -> Headers:
    meta = given.meta
    return (by or signer()).headers(meta.account_id, meta.command_id, VALUE)


def told(
    found: Headers,
    *changes: Change,
    given: GivenCommand = OPENING,
    value: bytes = VALUE,
    at: Instant = 0,
) -> str:
    answer = verifier(*changes).check(given, value, found, at)
    return answer.doubt if isinstance(answer, Unproven) else f"{answer.origin}/{answer.key_id}"


def test_a_verifier_is_as_strict_as_its_table_says() -> None:
    assert [verifier(ModeSet(mode=mode)).mode for mode in Mode] == [*Mode]


@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_an_origin_signs_is_its_own(algorithm: Algorithm) -> None:
    by = signer("partner", "k1", algorithm)
    adds = (origin("partner"), key("partner", "k1", algorithm))
    assert told((("traceparent", b"x"), *headers(by)), *adds) == "partner/k1"


def test_the_signed_lines_are_those_that_the_page_names() -> None:
    by = replace(signer(), sign=lambda text: text)
    signature = dict(headers(by))[SIGNATURE]
    assert bytes.fromhex(signature.decode()).decode().splitlines() == [
        "refunds-command-1",
        "refunds.commands.v1",
        "id of refunds.commands.v1",
        "billing/k1",
        "acct-1",
        "open",
        "4b7a9166fc82d28011d5f4789978b3c6e291876f4cfe0e9cd6c89fb2f552bed0",
    ]


def test_without_a_signature_it_is_nobodys() -> None:
    assert told(()) == "NOT_SIGNED"
    assert told(headers()[:1]) == "NOT_SIGNED"
    assert told(headers()[1:]) == "NOT_SIGNED"
    assert told(((ORIGIN, b""), (SIGNATURE, b""))) == "NOT_SIGNED"


def test_two_origins_or_two_signatures_are_none() -> None:
    first, second = headers()
    assert told((first, first, second)) == "NOT_SIGNED"
    assert told((first, second, second)) == "NOT_SIGNED"


@pytest.mark.parametrize("name", [b"billing", b"billing/k2", b"nobody/k1", b"\xff\xfe"])
def test_who_is_not_in_the_table_is_unknown(name: bytes) -> None:
    assert told(((ORIGIN, name), headers()[1])) == "UNKNOWN_ORIGIN"


@pytest.mark.parametrize("algorithm", Algorithm)
def test_another_value_id_account_ledger_origin_or_key_has_another_signature(
    algorithm: Algorithm,
) -> None:
    changes = (
        origin("a"),
        key("a", "k1", algorithm),
        key("a", "k2", algorithm),
        origin("b"),
        key("b", "k1", algorithm),
    )
    good = headers(signer("a", "k1", algorithm))
    assert told(good, *changes) == "a/k1"
    other_id = replace(OPENING, meta=replace(OPENING.meta, command_id="open-2"))
    other_account = replace(OPENING, meta=replace(OPENING.meta, account_id="acct-2"))
    assert told(good, *changes, given=other_id) == "WRONG_SIGNATURE"
    assert told(good, *changes, given=other_account) == "WRONG_SIGNATURE"
    assert told(good, *changes, value=VALUE + b".") == "WRONG_SIGNATURE"
    for name in (b"a/k2", b"b/k1"):
        assert told(((ORIGIN, name), good[1]), *changes) == "WRONG_SIGNATURE"
    for elsewhere in (signer("a", "k1", algorithm, "another ledger"), signer("b", "k1", algorithm)):
        assert told((good[0], headers(elsewhere)[1]), *changes) == "WRONG_SIGNATURE"


@pytest.mark.parametrize("signature", [b"00", b"x", b"\xff", bytes(64).hex().encode(), b"0" * 63])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_is_no_signature_does_not_hold(algorithm: Algorithm, signature: bytes) -> None:
    adds = (origin("a"), key("a", "k1", algorithm))
    assert told(((ORIGIN, b"a/k1"), (SIGNATURE, signature)), *adds) == "WRONG_SIGNATURE"


def test_a_key_is_valid_from_its_first_instant_until_before_its_last() -> None:
    changes = (key("billing", "k2", since=DAY), ended("billing", "k2", 2 * DAY))
    found = headers(signer("billing", "k2"))
    assert told(found, *changes, at=DAY - 1) == "KEY_NOT_VALID"
    assert told(found, *changes, at=DAY) == "billing/k2"
    assert told(found, *changes, at=2 * DAY - 1) == "billing/k2"
    assert told(found, *changes, at=2 * DAY) == "KEY_NOT_VALID"


def test_a_key_that_does_not_end_is_told_without_an_end() -> None:
    answer = verifier(key("billing", "k2", since=DAY)).check(
        OPENING, VALUE, headers(signer("billing", "k2")), 0
    )
    assert isinstance(answer, Unproven)
    assert answer.detail == (
        "key billing/k2 is valid from 1970-01-02T00:00:00Z; the log took this at "
        "1970-01-01T00:00:00Z"
    )


def test_an_origin_gives_its_commands_in_its_roles_for_its_accounts_alone() -> None:
    standing = SetAccountStanding(in_arrears=True)
    other_command = replace(OPENING, body=standing)
    owner = replace(OPENING, meta=replace(OPENING.meta, actor=Actor(id="u", role=Role.OWNER)))
    for change, given, expected in (
        (origin("billing", commands=("OpenAccount",)), OPENING, "billing/k1"),
        (origin("billing", commands=("OpenAccount",)), other_command, "NOT_ALLOWED"),
        (origin("billing", Role.BILLING), OPENING, "billing/k1"),
        (origin("billing", Role.BILLING), owner, "NOT_ALLOWED"),
        (origin("billing", accounts=("acct-2", "acct-1")), OPENING, "billing/k1"),
        (origin("billing", accounts=("acct*",)), OPENING, "billing/k1"),
        (origin("billing", accounts=("acct-11", "b*")), OPENING, "NOT_ALLOWED"),
    ):
        assert told(headers(given=given), change, given=given) == expected


def test_system_is_the_ledgers_own_role() -> None:
    settling = GivenCommand(
        meta=CommandMeta(
            command_id="s", account_id="acct-1", actor=Actor(id="r", role=Role.SYSTEM)
        ),
        body=SettleRefund(refund_id="r-1"),
    )
    assert told(headers(signer(OWN), settling), given=settling) == "ledger/k1"
    assert told(headers(given=settling), given=settling) == "NOT_ALLOWED"
    assert told(headers(signer(OWN))) == "NOT_ALLOWED"


def test_an_older_version_is_verified_by_the_keys_of_its_time() -> None:
    history = history_of(*REQUIRED, ended("billing", "k1", 0))
    secrets = secrets_of(history)
    now = Verifier(history, secrets, LEDGER_ID)
    then = Verifier(history, secrets, LEDGER_ID, history.tables[-2].version)
    assert isinstance(now.check(OPENING, VALUE, headers(), 0), Unproven)
    assert then.check(OPENING, VALUE, headers(), 0) == BILLING
    with pytest.raises(ValueError, match="the origins have no version '9:00'"):
        Verifier(history, secrets, LEDGER_ID, "9:00")


def test_a_secret_that_is_missing_or_another_is_told_before_any_command() -> None:
    history = history_of(*REQUIRED)
    with pytest.raises(ValueError, match="the secret of key billing/k1 is missing"):
        Verifier(history, {(OWN, "k1"): secrets_of(history)[OWN, "k1"]}, LEDGER_ID)
    with pytest.raises(ValueError, match="the secret of key ledger/k1 is another one"):
        Verifier(history, {(OWN, "k1"): b"another"}, LEDGER_ID)


def test_the_table_holds_no_secret() -> None:
    history = history_of(*REQUIRED, origin("a"), key("a", "k1", ED25519))
    proofs = {each.proof for o in history.newest.origins.values() for each in o.keys.values()}
    assert len(proofs) == 3
    assert not proofs & {*secrets_of(history).values()}
    assert {each.algorithm for each in history.newest.origins["a"].keys.values()} == {ED25519}
    assert HMAC is history.newest.origins["billing"].keys["k1"].algorithm

"""Properties of sealed texts: the same again, and never another text."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.vocabulary.commands import (
    COMMANDS,
    ApproveMarketplaceRefund,
    Command,
    CorrectRefund,
    RefundMarketplaceManually,
    RequestMarketplaceRefund,
)
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.events import EVENTS, CommandRefused, Event, RefundIssued
from ledger.vocabulary.sealing import (
    AccountKey,
    Place,
    clear_texts,
    key_number,
    opened,
    sealed,
    sealed_command,
    text_fields,
)
from ledger.vocabulary.shapes import Actor, RefundReason, Role
from tests.ledger.rules.marketplace.stories import bought

KEY = AccountKey(number=1, secret=bytes(range(32)))
PLACE = Place(account_id="acct-1", command_id="c-1", field="note")
names = st.text(max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
places = st.builds(Place, account_id=names, command_id=names, field=names)
keys = st.builds(AccountKey, number=st.integers(1, 999), secret=st.binary(min_size=32, max_size=32))


@given(keys, places, texts)
def test_a_sealed_text_opens_again_and_the_same_text_gives_the_same_characters(
    key: AccountKey, place: Place, text: str
) -> None:
    found = sealed(key, place, text)
    assert opened(key, place, found) == text
    assert sealed(key, place, text) == found
    assert key_number(found) == key.number


@given(keys, places, places, texts)
def test_a_moved_text_is_damaged(key: AccountKey, place: Place, other: Place, text: str) -> None:
    assert (opened(key, other, sealed(key, place, text)) == text) == (place == other)


@given(keys, keys, texts)
def test_under_another_key_a_text_is_damaged(key: AccountKey, other: AccountKey, text: str) -> None:
    assert (opened(other, PLACE, sealed(key, PLACE, text)) == text) == (key == other)


@settings(max_examples=300)
@given(texts, st.data())
def test_a_changed_text_is_damaged(text: str, data: st.DataObject) -> None:
    found = sealed(KEY, PLACE, text)
    at = data.draw(st.integers(0, len(found) - 1))
    instead = data.draw(st.sampled_from("ABCXYZabcxyz0189-_:="))
    changed = found[:at] + instead + found[at + 1 :]
    assert opened(KEY, PLACE, changed) == (text if changed == found else None)
    assert opened(KEY, PLACE, found[: -at - 1]) is None


@given(places, texts, texts)
def test_two_texts_of_one_place_have_two_nonces(place: Place, text: str, other: str) -> None:
    one, two = (sealed(KEY, place, each).split(":")[3][:16] for each in (text, other))
    assert (one == two) == (text == other)


def test_what_has_not_the_form_is_no_sealed_text() -> None:
    for text in (
        "",
        "sealed",
        "sealed:2:1:AAAA",
        "sealed:1:0:AAAA",
        "sealed:1:1:",
        "x sealed:1:1:A",
    ):
        assert key_number(text) is None
        assert opened(KEY, PLACE, text) is None
    for short in ("A", "AA", "A" * 11, "A" * 21):
        assert opened(KEY, PLACE, f"sealed:1:1:{short}") is None


def test_a_key_is_not_told() -> None:
    assert repr(KEY) == "AccountKey(number=1)"


def test_the_form_by_hand() -> None:
    """21 bytes are 49 with nonce and tag, 66 characters in base64, 76 to 77 with `sealed:1:1:`."""
    found = sealed(KEY, PLACE, "x" * 21)
    assert found.startswith("sealed:1:1:")
    assert len(found) == 11 + 66


def test_every_free_text_of_a_command_is_sealed_and_nothing_else() -> None:
    note = _given(ApproveMarketplaceRefund(purchase_id="p-1", note="to Ann"))
    ticket = _given(
        RefundMarketplaceManually(purchase_id="p-1", ticket="T-1", amount=1, currency="CNY")
    )
    reason = _given(
        CorrectRefund(refund_id="r-1", reason="wrong", restore_quota=False, restore_cap=False)
    )
    for given_, field, text in (
        (note, "note", "to Ann"),
        (ticket, "ticket", "T-1"),
        (reason, "reason", "wrong"),
    ):
        done = sealed_command(given_, KEY)
        place = msgspec.structs.replace(PLACE, field=field)
        assert clear_texts(given_) == {field: text}
        assert clear_texts(done) == {}
        assert opened(KEY, place, getattr(done.body, field)) == text
        assert sealed_command(done, KEY) == done


def test_each_field_with_a_free_text_is_known() -> None:
    kinds = {**COMMANDS, **EVENTS}
    found = {name: text_fields(kind) for name, kind in kinds.items() if text_fields(kind)}
    assert found == {
        "ApproveMarketplaceRefund": ("note",),
        "DeclineMarketplaceRefund": ("note",),
        "RefundMarketplaceManually": ("ticket",),
        "CorrectRefund": ("reason",),
        "ConfirmCardRefund": ("reason",),
        "FailCardRefund": ("reason",),
        "MarketplaceRefundApproved": ("note",),
        "MarketplaceRefundDeclined": ("note",),
        "RefundIssued": ("ticket",),
        "RefundCorrected": ("reason",),
        "RefundSettled": ("gateway_reason",),
        "RefundHeld": ("gateway_reason",),
        "RefundOverpaid": ("gateway_reason",),
        "GatewayAnswerRecorded": ("gateway_reason",),
        "SupportTaskOpened": ("gateway_reason",),
    }


def test_a_reason_from_the_list_and_a_text_that_is_not_there_are_left() -> None:
    for body in (
        RequestMarketplaceRefund(purchase_id="p-1", reason=RefundReason.OTHER, acknowledged=True),
        ApproveMarketplaceRefund(purchase_id="p-1"),
        ApproveMarketplaceRefund(purchase_id="p-1", note=""),
    ):
        assert sealed_command(_given(body), KEY) == _given(body)


def test_sealed_and_clear_texts_give_the_same_verdicts() -> None:
    """Two refunds by ticket within what was paid, a third above it."""
    clear, done = _by_ticket(seal=False), _by_ticket(seal=True)
    assert [type(body) for body in done] == [type(body) for body in clear]
    amounts = [body.amount for body in done if isinstance(body, RefundIssued)]
    assert amounts == [body.amount for body in clear if isinstance(body, RefundIssued)]
    assert len(amounts) == 2
    assert CommandRefused in map(type, done)


def _by_ticket(*, seal: bool) -> list[Event]:
    s = bought()
    found: list[Event] = []
    for amount in (1, 2, 1 << 40):
        asked = _given(
            RefundMarketplaceManually(
                purchase_id="p-1", ticket="T-1", amount=amount, currency="CNY"
            )
        )
        body = sealed_command(asked, KEY).body if seal else asked.body
        found += s.give(body)
    return found


def _given(body: Command) -> GivenCommand:
    meta = CommandMeta(
        command_id="c-1", account_id="acct-1", actor=Actor(id="s-1", role=Role.SUPPORT)
    )
    return GivenCommand(meta=meta, body=body)

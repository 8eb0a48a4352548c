"""What is sent of an event, how it is signed, when it is tried again."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from consumers.webhooks import schedule
from consumers.webhooks.bodies import body_of, webhook_id
from consumers.webhooks.hooks import TOLD, Hook
from consumers.webhooks.signing import headers, secret_text
from ledger.values.instants import DAY, HOUR, MINUTE, SECOND
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.sealing import AccountKey, Place, sealed
from ledger.wire.json.writing import event_to_json
from tests.consumers.webhooks.receivers import secret_of
from tests.projector.stories import told

STORY = told().events[3:]


@pytest.mark.parametrize("event", STORY, ids=lambda event: str(event.name))
def test_a_body_is_the_event_as_the_command_line_prints_it(event: RecordedEvent) -> None:
    body = json.loads(body_of(event))
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["data"]) == (event.name, event_to_json(event))
    assert body["timestamp"] == body["data"]["at"]


def test_a_sealed_text_does_not_leave_the_ledger() -> None:
    (event,) = [each for each in STORY if each.name == "RefundCorrected"]
    place = Place(account_id="acct-1", command_id="c", field="reason")
    text = sealed(AccountKey(number=1, secret=bytes(32)), place, "private")
    event = replace(event, body=replace(event.body, reason=text))
    assert json.loads(body_of(event))["data"]["body"]["reason"] == "sealed"


def test_an_id_is_that_of_the_event_at_the_hook() -> None:
    ids = {webhook_id(hook, event) for hook in ("a", "b") for event in ("x", "y")}
    assert len(ids) == 4
    assert webhook_id("a", "x") in ids


def test_a_signature_is_that_of_the_specifications_example() -> None:
    # From the page of Standard Webhooks: an id, a timestamp, a body, a secret and its signature.
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330 * SECOND,
        b'{"test": 2432232314}',
        [secret],
    )
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_during_a_rotation_both_secrets_sign() -> None:
    one, other = bytes(32), b"x" * 32
    apart = [headers("msg_1", 0, b"{}", [each])["webhook-signature"] for each in (one, other)]
    assert headers("msg_1", 0, b"{}", [one, other])["webhook-signature"] == " ".join(apart)
    assert len(set(apart)) == 2


def test_a_secret_is_written_as_the_specification_says() -> None:
    assert secret_text(bytes(range(32))).startswith("whsec_")
    assert secret_of(secret_text(bytes(range(32)))) == bytes(range(32))


def test_delays_double_up_to_ten_minutes() -> None:
    assert [schedule.delay(n, 0.5) // SECOND for n in range(1, 10)] == [
        5, 10, 20, 40, 80, 160, 320, 600, 600,
    ]  # fmt: skip
    assert schedule.delay(10_000, 0.5) == 10 * MINUTE
    assert (schedule.delay(3, 0.0), schedule.delay(3, 1.0)) == (16 * SECOND, 24 * SECOND)


def test_a_receiver_that_asks_for_more_time_gets_it_up_to_a_day() -> None:
    assert schedule.delay(1, 0.5, HOUR) == HOUR
    assert schedule.delay(1, 0.5, 90 * DAY) == DAY
    assert schedule.delay(9, 0.5, SECOND) == 10 * MINUTE


def test_a_day_of_failures_is_the_end() -> None:
    assert not schedule.dead(0, DAY - 1)
    assert schedule.dead(0, DAY)


def test_a_hook_rests_longer_the_longer_its_receiver_is_away() -> None:
    asked = [schedule.rest(0, now) // SECOND for now in (0, 2 * MINUTE, DAY)]
    assert asked == [5, 15, 60]


def test_a_hook_is_told_of_what_it_asked_for_from_its_beginning_on() -> None:
    some = Hook(hook_id="h", url="u", events=frozenset({"RefundIssued"}), starts=(0, 7))
    every = replace(some, events=frozenset())
    assert some.wants("RefundIssued", 1, 7)
    assert not some.wants("RefundIssued", 1, 6)
    assert not some.wants("RefundSettled", 1, 7)
    assert [every.wants(name, 0, 0) for name in sorted(EVENTS)] == [
        name != "LedgerOpened" for name in sorted(EVENTS)
    ]
    assert set(TOLD) == set(EVENTS) - {"LedgerOpened"}

"""The form of a record: every fault that a decider would set it aside for, and odd headers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumers.deciding.form import Form, form_of
from consumers.deciding.recording import Taker, readable
from ledger.log.seam import Headers, LogRecord
from ledger.origins.history import ModeSet
from ledger.origins.table import Mode
from ledger.origins.verifying import Verifier
from ledger.values.ids import partition_of
from ledger.vocabulary.commands import RefundMarketplaceManually
from ledger.vocabulary.sealing import AccountKey, sealed_command
from ledger.wire.avro.codec import Unreadable, UnreadableRecord, encode_command
from ledger.wire.cloud_events import headers_for_command
from tests.consumers.ledgers import START, given, opening
from tests.ledger.origins.tables import LEDGER_ID, REQUIRED, history_of, secrets_of, signer

TAKER = Taker(partition_count=3, sandbox=False)
OPENING = opening()
KEY = b"acct-1"
VALUE, HEADERS = encode_command(OPENING), headers_for_command(OPENING)
HOME = partition_of(KEY, TAKER.partition_count)


def stored(
    value: bytes | None = VALUE,
    *,
    key: bytes | None = KEY,
    partition: int = HOME,
    headers: Headers = HEADERS,
) -> LogRecord:
    return LogRecord(
        partition=partition, offset=7, appended_at=START, key=key, value=value, headers=headers
    )


def reasons(form: Form) -> list[Unreadable]:
    return [fault.reason for fault in form.faults]


def test_a_good_record_has_no_fault_and_no_note() -> None:
    form = form_of(stored(), TAKER)
    assert (form.faults, form.notes) == ((), ())
    assert (form.frame, form.schema, form.meta) == (
        "fingerprint",
        ("OpenAccount", 2),
        OPENING.meta,
    )


def test_a_wrong_key_hides_neither_a_wrong_partition_nor_a_wrong_clock() -> None:
    timed = given("open", OPENING.body, sandbox_at=START)
    form = form_of(stored(encode_command(timed), key=b"x", partition=(HOME + 1) % 3), TAKER)
    assert reasons(form) == ["WRONG_KEY", "WRONG_PARTITION", "WRONG_CLOCK"]


def test_a_sandbox_asks_for_its_instant() -> None:
    assert reasons(form_of(stored(), replace(TAKER, sandbox=True))) == ["WRONG_CLOCK"]


def test_behind_what_cannot_be_read_nothing_more_is_seen() -> None:
    form = form_of(stored(b'{"command": "OpenAccount"}', key=b"x"), TAKER)
    assert (reasons(form), form.frame, form.schema, form.meta) == (["NOT_OURS"], "none", None, None)
    assert form.notes == ()


def test_what_has_a_fault_behind_its_frame_is_named_by_its_schema() -> None:
    form = form_of(stored(VALUE[:-1]), TAKER)
    assert (reasons(form), form.schema) == (["UNREADABLE"], ("OpenAccount", 2))


def test_a_registrys_id_is_named() -> None:
    form = form_of(stored(b"\x00" + (107).to_bytes(4, "big")), TAKER)
    assert (reasons(form), form.frame) == (["UNKNOWN_SCHEMA"], "registry id 107")


@pytest.mark.parametrize(
    "record",
    [
        stored(None),
        stored(b"\xc3\x01" + bytes(8)),
        stored(VALUE + b"\x00"),
        stored(key=None),
        stored(partition=(HOME + 1) % 3),
    ],
)
def test_the_first_fault_is_the_one_that_the_decider_raises(record: LogRecord) -> None:
    with pytest.raises(UnreadableRecord) as raised:
        readable(record, TAKER)
    assert str(form_of(record, TAKER).faults[0]) == str(raised.value)


def test_a_header_that_is_missing_or_says_something_else_is_a_note_and_no_fault() -> None:
    headers = dict(HEADERS)
    del headers["ce_source"]
    headers["ce_type"] = b"OpenAccount"
    form = form_of(stored(headers=tuple(headers.items())), TAKER)
    assert form.faults == ()
    assert form.notes == (
        "header ce_source is missing; others expect /refunds/accounts/acct-1",
        "header ce_type is OpenAccount; others expect refunds.commands.OpenAccount",
    )


def asking(mode: Mode) -> Taker:
    history = history_of(*REQUIRED, ModeSet(mode=mode))
    verifier = Verifier(history, secrets_of(history), LEDGER_ID)
    return replace(TAKER, verifier=verifier)


SIGNED = (*HEADERS, *signer().headers("acct-1", "open", VALUE))


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.REQUIRED])
def test_who_gives_it_is_told_where_that_is_asked_and_proven(mode: Mode) -> None:
    form = form_of(stored(headers=SIGNED), asking(mode))
    assert (form.origin, form.faults, form.notes) == ("billing/k1", (), ())


def test_where_nobody_asks_no_origin_is_told() -> None:
    for taker in (TAKER, asking(Mode.OPEN)):
        assert (form_of(stored(headers=SIGNED), taker).origin, form_of(stored(), taker).notes) == (
            "",
            (),
        )


def test_a_doubt_is_a_fault_where_signatures_are_required_and_a_note_before() -> None:
    fault = form_of(stored(), asking(Mode.REQUIRED))
    assert (reasons(fault), fault.notes) == (["NOT_SIGNED"], ())
    note = form_of(stored(), asking(Mode.WARN))
    assert (note.faults, len(note.notes), note.origin) == ((), 1, "")
    assert note.notes[0].startswith("NOT_SIGNED: it needs one header")


def test_a_wrong_key_hides_no_wrong_signature() -> None:
    form = form_of(stored(key=b"x", headers=SIGNED[:-1]), asking(Mode.REQUIRED))
    assert reasons(form) == ["WRONG_KEY", "NOT_SIGNED"]


def test_of_what_cannot_be_read_no_origin_is_told() -> None:
    form = form_of(stored(b"rubbish", headers=SIGNED), asking(Mode.REQUIRED))
    assert (reasons(form), form.origin) == (["NOT_OURS"], "")


def test_a_clear_text_is_noted_where_texts_must_be_sealed() -> None:
    body = RefundMarketplaceManually(purchase_id="p-1", ticket="T-1", amount=1, currency="CNY")
    clear = given("t-1", body)
    done = sealed_command(clear, AccountKey(number=1, secret=bytes(32)))
    noted = {
        (command is clear, asked): form_of(
            stored(encode_command(command), headers=headers_for_command(command)),
            TAKER,
            texts_sealed=asked,
        )
        for command in (clear, done)
        for asked in (True, False)
    }
    assert {key for key, form in noted.items() if form.notes} == {(True, True)}
    (note,) = noted[True, True].notes
    assert note.startswith("ticket is in clear")
    assert not any(form.faults for form in noted.values())

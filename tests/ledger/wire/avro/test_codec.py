"""What goes into a record comes out again, and nothing that is not ours comes out at all."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.vocabulary.commands import COMMANDS, RecordInstanceOrder, ReturnInstance
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import EVENTS, CommandRefused, RefundIssued
from ledger.vocabulary.fields import fields_of
from ledger.wire.avro.codec import (
    MAX_COMMAND_BYTES,
    Unreadable,
    UnreadableRecord,
    body_hash,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
    event_name_of,
    schema_of,
)
from ledger.wire.avro.schema_files import Family
from tests.ledger.wire.avro.golden_files import (
    digests,
    encoded_samples,
    golden_bytes,
    golden_digests,
)
from tests.samples import sample_command, sample_event

KEY = b"account-1"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_survives_the_wire(name: str) -> None:
    command = sample_command(COMMANDS[name])
    value = encode_command(command)
    assert decode_command(KEY, value) == command


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_survives_the_wire(name: str) -> None:
    event = sample_event(EVENTS[name])
    value, digest = encode_event(event)
    assert decode_event(value) == event
    assert event_name_of(value) == name
    assert schema_of(Family.EVENTS, value)[0] == name
    assert digest == body_hash(value) == sha256(value[10:]).digest()


@pytest.mark.parametrize("name", COMMANDS)
def test_absent_fields_survive_the_wire(name: str) -> None:
    command = _sparse(sample_command(COMMANDS[name]))
    assert decode_command(KEY, encode_command(command)) == command


def test_todays_bytes_are_the_golden_bytes() -> None:
    golden = golden_bytes()
    assert {key: value.hex() for key, value in encoded_samples().items()} == {
        key: golden[key].hex() for key in encoded_samples()
    }, "unreleased ones are written anew by `python -m tests.ledger.wire.avro.golden_files`"


@pytest.mark.parametrize("key", golden_bytes())
def test_golden_bytes_of_every_version_are_readable(key: str) -> None:
    family, name, _ = key.split("/")
    value = golden_bytes()[key]
    read = decode_command(KEY, value) if family == "commands" else decode_event(value)
    assert read.name == name


def test_content_digests_are_the_golden_digests() -> None:
    assert digests() == golden_digests()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_content_digest_is_the_same_before_and_after_the_wire(name: str) -> None:
    for command in (sample_command(COMMANDS[name]), _sparse(sample_command(COMMANDS[name]))):
        assert command_digest(decode_command(KEY, encode_command(command))) == command_digest(
            command
        )


def test_the_content_digest_covers_name_actor_and_body_and_no_more() -> None:
    one = sample_command(ReturnInstance)
    other_actor = msgspec.structs.replace(one.meta.actor, id="u-2")
    other_body = msgspec.structs.replace(one.body, instance_id="i-2")
    replaced = msgspec.structs.replace
    same = replace_meta(one, command_id="c-9", causation_id=None, sandbox_at=None)
    assert command_digest(same) == command_digest(one)
    assert command_digest(replace_meta(one, actor=other_actor)) != command_digest(one)
    assert command_digest(replaced(one, body=other_body)) != command_digest(one)


def replace_meta(command: GivenCommand, **changes: Any) -> GivenCommand:
    meta = msgspec.structs.replace(command.meta, **changes)
    return msgspec.structs.replace(command, meta=meta)


def _varint(number: int) -> bytes:
    """An Avro long."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def _with(old: bytes, new: bytes) -> bytes:
    assert VALUE.count(old) >= 1
    return VALUE.replace(old, new, 1)


VALUE = encode_command(sample_command(RecordInstanceOrder))
FRAME = VALUE[:10]
ACTOR = b"\x08id-1"
OWNER = ACTOR + b"\x02"
HOSTILE: dict[str, tuple[bytes | None, Unreadable]] = {
    "no value": (None, Unreadable.NOT_OURS),
    "empty": (b"", Unreadable.NOT_OURS),
    "text": (b'{"command": "OpenAccount"}', Unreadable.NOT_OURS),
    "half a frame": (VALUE[:9], Unreadable.NOT_OURS),
    "a registry's id where there is no registry": (
        b"\x00\x00\x00\x00\x07" + VALUE[10:],
        Unreadable.UNKNOWN_SCHEMA,
    ),
    "half a registry's id": (b"\x00\x00\x00\x07", Unreadable.NOT_OURS),
    "another schema": (b"\xc3\x01" + bytes(8) + VALUE[10:], Unreadable.UNKNOWN_SCHEMA),
    "an event": (encode_event(sample_event(RefundIssued))[0], Unreadable.UNKNOWN_SCHEMA),
    "frame only": (FRAME, Unreadable.UNREADABLE),
    "truncated": (VALUE[:-1], Unreadable.UNREADABLE),
    "trailing bytes": (VALUE + b"zz", Unreadable.NOT_CANONICAL),
    "oversized": (VALUE + bytes(MAX_COMMAND_BYTES), Unreadable.TOO_LARGE),
    "overlong varint": (_with(ACTOR, b"\x88\x80\x00id-1"), Unreadable.NOT_CANONICAL),
    "varint of thirty bytes": (FRAME + b"\xff" * 30 + b"\x01", Unreadable.UNREADABLE),
    "string of 2^40 bytes": (FRAME + _varint(2**40) + b"x", Unreadable.UNREADABLE),
    "string of 2^62 bytes": (FRAME + _varint(2**62) + b"x", Unreadable.UNREADABLE),
    "string of -5 bytes": (FRAME + _varint(-5) + VALUE[11:], Unreadable.UNREADABLE),
    "invalid UTF-8": (_with(b"id-1", b"\xff\xfe-1"), Unreadable.UNREADABLE),
    "enum symbol UNKNOWN": (_with(OWNER, ACTOR + b"\x00"), Unreadable.INVALID_VALUE),
    "enum index beyond": (_with(OWNER, ACTOR + b"\x40"), Unreadable.UNREADABLE),
    "enum index negative": (_with(OWNER, ACTOR + b"\x01"), Unreadable.NOT_CANONICAL),
    "union index beyond": (_with(OWNER + b"\x02", OWNER + b"\x08"), Unreadable.UNREADABLE),
    "list of 2^62 items": (
        _with(b"\x04\x14instance-1", _varint(2**62) + b"\x14instance-1"),
        Unreadable.UNREADABLE,
    ),
    "list in blocks with sizes": (
        _with(b"\x04\x14instance-1", _varint(-2) + _varint(9) + b"\x14instance-1"),
        Unreadable.NOT_CANONICAL,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bytes_from_outside_are_refused_with_a_reason(name: str) -> None:
    value, reason = HOSTILE[name]
    with pytest.raises(UnreadableRecord) as caught:
        decode_command(KEY, value)
    assert caught.value.reason is reason, caught.value
    assert len(caught.value.detail) <= 400


@pytest.mark.parametrize("key", [None, b"", b"account-2", b"account-1 "])
def test_the_key_must_be_the_account(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecord) as caught:
        decode_command(key, VALUE)
    assert caught.value.reason is Unreadable.WRONG_KEY


@given(
    at=st.integers(min_value=0, max_value=len(VALUE) - 1),
    new=st.binary(max_size=12),
    cut=st.integers(min_value=0, max_value=12),
)
def test_whatever_the_bytes_they_are_refused_or_the_only_encoding(
    at: int, new: bytes, cut: int
) -> None:
    value = VALUE[:at] + new + VALUE[at + cut :]
    try:
        command = decode_command(KEY, value)
    except UnreadableRecord:
        return
    assert encode_command(command) == value


@given(value=st.binary(max_size=300))
def test_noise_behind_an_event_frame_raises_one_exception_only(value: bytes) -> None:
    frame = encode_event(sample_event(CommandRefused))[0][:10]
    try:
        decode_event(frame + value)
    except UnreadableRecord as caught:
        assert caught.reason in Unreadable  # noqa: PT017 — most noise is refused, some is not


def _sparse(command: GivenCommand) -> GivenCommand:
    """The command without whatever may be absent."""
    return msgspec.structs.replace(
        command, meta=_without_optional(command.meta), body=_without_optional(command.body)
    )


def _without_optional(value: Any) -> Any:
    defaults = {one.name: one.default for one in fields_of(_shape(value)) if not one.required}
    return msgspec.structs.replace(value, **defaults)


def _shape(value: msgspec.Struct) -> type[msgspec.Struct]:
    return type(value)

"""With a registry records carry schema ids; both framings are read, and only our schemas are."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from devstack.certificates import authority, issue
from ledger.log.seam import Topic
from ledger.vocabulary.commands import COMMANDS, OpenAccount, SetAccountStanding
from ledger.vocabulary.events import EVENTS, RefundIssued
from ledger.wire.avro.codec import (
    Unreadable,
    UnreadableRecord,
    body_hash,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
    event_name_of,
    use_registry,
)
from ledger.wire.avro.framing import RegistryUnavailable
from ledger.wire.avro.schema_files import Family, schema_file, schema_root
from ledger.wire.avro.schema_registry import SchemaRegistry, subject_of
from tests.consumers.ledgers import Bench, assert_one_chain, opening, record, standing
from tests.ledger.wire.avro.golden_files import encoded_samples
from tests.ledger.wire.avro.registry_server import FIRST_ID, Registry, running_registry
from tests.samples import sample_command, sample_event

KEY = b"account-1"


@pytest.fixture(scope="module")
def server() -> Iterator[Registry]:
    with running_registry() as found:
        yield found


@pytest.fixture(autouse=True)
def _without_registry_afterwards() -> Iterator[None]:
    yield
    use_registry(None)


@pytest.fixture
def registry(server: Registry) -> SchemaRegistry:
    """A client installed in the codec."""
    client = SchemaRegistry(server.url)
    use_registry(client)
    return client


def test_the_frame_is_a_zero_byte_and_the_id_in_four_bytes_big_endian() -> None:
    with running_registry() as first:
        use_registry(SchemaRegistry(first.url))
        value = encode_command(sample_command(SetAccountStanding))
    assert value[:5] == bytes.fromhex("0000000065") == b"\x00" + FIRST_ID.to_bytes(4, "big")


def test_the_body_is_the_golden_one(registry: SchemaRegistry) -> None:
    with_ids = encoded_samples()
    use_registry(None)
    for key, value in encoded_samples().items():
        family, name, version = key.split("/")
        schema_id = registry.id_of(Family(family), name, int(version))
        assert with_ids[key] == b"\x00" + schema_id.to_bytes(4, "big") + value[10:]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_survives_the_wire(registry: SchemaRegistry, name: str) -> None:
    command = sample_command(COMMANDS[name])
    value = encode_command(command)
    assert decode_command(KEY, value) == command


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_survives_the_wire_and_its_hash_is_that_of_the_body(
    registry: SchemaRegistry, name: str
) -> None:
    event = sample_event(EVENTS[name])
    value, digest = encode_event(event)
    assert decode_event(value) == event
    assert event_name_of(value) == name
    use_registry(None)
    assert digest == body_hash(value) == encode_event(event)[1]


def test_subjects_are_named_by_topic_and_record(server: Registry, registry: SchemaRegistry) -> None:
    registry.register_all()
    assert "refunds.events.v1-refunds.events.RefundIssued" in server.subjects
    commands = {f"refunds.commands.v1-refunds.commands.{name}" for name in COMMANDS}
    events = {f"refunds.events.v1-refunds.events.{name}" for name in EVENTS}
    assert set(server.subjects) == commands | events


def test_registering_again_makes_no_new_version(server: Registry) -> None:
    SchemaRegistry(server.url).register_all()
    before = dict(server.subjects)
    SchemaRegistry(server.url).register_all()
    assert server.subjects == before


def test_what_was_registered_is_never_asked_for_again(
    server: Registry, registry: SchemaRegistry
) -> None:
    registry.register_all()
    server.asked.clear()
    decode_command(KEY, encode_command(sample_command(OpenAccount)))
    assert server.asked == []


def test_another_publishers_text_of_our_schema_is_read_with_ours(
    server: Registry, registry: SchemaRegistry
) -> None:
    command = sample_command(OpenAccount)
    value = encode_command(command)
    text = schema_file(schema_root(), Family.COMMANDS, "OpenAccount", 2).read_text()
    told = json.dumps({**json.loads(text), "doc": "as upstream has it"})
    theirs = server.add(told)
    assert decode_command(KEY, b"\x00" + theirs.to_bytes(4, "big") + value[5:]) == command


def test_a_schema_that_is_not_ours_is_never_read_with(
    server: Registry, registry: SchemaRegistry
) -> None:
    fields = [{"name": "anything", "type": "string"}]
    strangers = {
        "another record": server.add(
            json.dumps({"type": "record", "name": "OpenAccount", "fields": fields})
        ),
        "no schema at all": server.add("{"),
        "a protocol buffer": server.add("message OpenAccount {}", "PROTOBUF"),
        "an unknown id": 9_999,
        "the largest id": (1 << 32) - 1,
        "an event of ours": registry.id_of(Family.EVENTS, "RefundIssued", 1),
    }
    for what, schema_id in strangers.items():
        with pytest.raises(UnreadableRecord) as caught:
            decode_command(KEY, b"\x00" + schema_id.to_bytes(4, "big") + b"\x00" * 8)
        assert caught.value.reason is Unreadable.UNKNOWN_SCHEMA, what


def test_an_unknown_id_is_asked_for_once(server: Registry, registry: SchemaRegistry) -> None:
    server.asked.clear()
    for _ in range(3):
        assert registry.fingerprint_of(8_888) is None
    assert server.asked == ["GET /schemas/ids/8888"]


def test_bytes_behind_an_id_must_be_the_only_encoding_too(registry: SchemaRegistry) -> None:
    value = encode_command(sample_command(OpenAccount))
    with pytest.raises(UnreadableRecord) as caught:
        decode_command(KEY, value + b"z")
    assert caught.value.reason is Unreadable.NOT_CANONICAL


def test_one_log_holds_both_framings_in_one_chain(server: Registry) -> None:
    bench = Bench()
    bench.publish(record(opening()), record(standing(1)))
    bench.decider().step(0)
    use_registry(SchemaRegistry(server.url))
    bench.publish(record(standing(2)))
    bench.decider().step(0)
    bench.publish(record(standing(2)), record(standing(3)))
    bench.decider().step(0)

    found = bench.records(Topic.EVENTS)
    assert [bytes(each.value or b"")[:1].hex() for each in found] == ["c3", "c3", "c3", "00", "00"]
    assert_one_chain(found, 1)
    assert bench.records(Topic.DEAD_LETTERS) == []


def test_a_registry_that_is_down_stops_the_decider_and_kills_no_command(server: Registry) -> None:
    bench = Bench()
    bench.publish(record(opening()))
    bench.decider().step(0)
    use_registry(SchemaRegistry(server.url))
    bench.publish(record(standing(1)))
    use_registry(SchemaRegistry("http://127.0.0.1:1"))
    with pytest.raises(RegistryUnavailable):
        bench.decider().step(0)
    use_registry(SchemaRegistry(server.url))
    bench.decider().step(0)
    assert bench.records(Topic.DEAD_LETTERS) == []
    assert bench.outcomes() == [("AccountOpened", "open"), ("AccountStandingChanged", "s-1")]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ((409, b'{"error_code": 409, "message": "incompatible"}'), "HTTP 409"),
        ((500, b"out of order"), "HTTP 500 out of order"),
        ((200, b"<html>"), "no JSON"),
        ((200, b"[]"), "list, not an object"),
        ((200, b'{"id": "7"}'), "the id '7'"),
    ],
)
def test_a_wrong_answer_says_where_and_what_to_do(broken: tuple[int, bytes], told: str) -> None:
    with running_registry() as server:
        server.broken = broken
        client = SchemaRegistry(server.url)
        with pytest.raises(RegistryUnavailable) as caught:
            client.register_all()
    assert server.url in str(caught.value)
    assert told in str(caught.value)
    assert "SCHEMA_REGISTRY_URL" in str(caught.value)


@pytest.mark.parametrize("url", ["registry", "user:secret@registry:8081", "http://[x", ""])
def test_what_is_no_address_is_told_without_its_text(url: str) -> None:
    with pytest.raises(RegistryUnavailable) as caught:
        SchemaRegistry(url).register_all()
    assert "secret" not in str(caught.value)


def test_no_password_is_told() -> None:
    client = SchemaRegistry("http://user:secret@127.0.0.1:1/")
    with pytest.raises(RegistryUnavailable) as caught:
        client.register_all()
    assert "'127.0.0.1:1' failed" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_registry_that_asks_for_a_password_is_given_it() -> None:
    with running_registry() as server:
        server.wants = "Basic " + b64encode(b"keeper:s3cret").decode()
        SchemaRegistry(server.url, user="keeper", password=SecretStr("s3cret")).register_all()
        for user, told in (
            ("keeper", "it refuses user 'keeper'"),
            (None, "a client without a user"),
        ):
            client = SchemaRegistry(server.url, user=user, password=SecretStr("wr0ng"))
            with pytest.raises(RegistryUnavailable, match=told) as caught:
                client.register_all()
            assert "wr0ng" not in str(caught.value)


def test_a_registry_is_believed_by_the_authority_named(tmp_path: Path) -> None:
    ours, others = authority(tmp_path), authority(tmp_path / "others")
    issue(ours, tmp_path / "registry.pem", "registry", ("127.0.0.1",))
    with running_registry(tmp_path / "registry.pem") as server:
        SchemaRegistry(server.url, ca_file=ours.certificate).register_all()
        for ca_file, told in (
            (
                others.certificate,
                f"not accepted \\(SCHEMA_REGISTRY_CA_FILE is {others.certificate}",
            ),
            (None, r"not accepted \(SCHEMA_REGISTRY_CA_FILE is not set\)"),
            (tmp_path / "none", f"SCHEMA_REGISTRY_CA_FILE is {tmp_path}/none and cannot be read"),
        ):
            with pytest.raises(RegistryUnavailable, match=told):
                SchemaRegistry(server.url, ca_file=ca_file).register_all()


def test_the_subject_of_an_event_names_its_topic() -> None:
    name = RefundIssued.__name__
    assert subject_of(Family.EVENTS, name) == f"{Topic.EVENTS}-refunds.events.{name}"

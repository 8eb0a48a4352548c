"""Ids: the same parts give the same id, and Kafka's murmur2 is computed as Java computes it."""

from __future__ import annotations

from uuid import UUID

import pytest

from ledger.values.ids import derived_id, follow_up_id, murmur2, partition_of

EVENT = "0d9c1f0e-6f3c-8b7a-9a51-000000000001"


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_what_kafka_gives(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


def test_the_sign_bit_is_masked_before_the_partition_is_taken() -> None:
    assert partition_of(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12
    assert partition_of(b"", 1) == 0


def test_the_same_parts_give_the_same_id() -> None:
    assert derived_id("acct-1", "c-7", "refund") == derived_id("acct-1", "c-7", "refund")


def test_an_id_is_pinned_for_ever() -> None:
    assert derived_id("acct-1", "c-7", "refund", "0") == "9be664f5-678c-8c76-83e3-09e435c6129c"
    assert follow_up_id(EVENT, "settlement", 0) == "d59a65a7-8150-54ef-8257-fffe50166f14"


def test_parts_do_not_run_into_each_other() -> None:
    ids = {derived_id("ab", "c"), derived_id("a", "bc"), derived_id("abc"), derived_id("abc", "")}
    assert len(ids) == 4


def test_a_derived_id_is_a_uuid_of_version_8() -> None:
    derived = UUID(derived_id("acct-1"))
    assert (derived.version, derived.variant) == (8, "specified in RFC 4122")


def test_a_follow_up_is_named_by_cause_reaction_and_index() -> None:
    ids = {
        follow_up_id(EVENT, "settlement", 0),
        follow_up_id(EVENT, "settlement", 1),
        follow_up_id(EVENT, "retention", 0),
        follow_up_id(derived_id("x"), "settlement", 0),
    }
    assert len(ids) == 4


def test_a_resend_has_an_id_of_its_own() -> None:
    first = follow_up_id(EVENT, "retention", 0)
    assert follow_up_id(EVENT, "retention", 0, attempt=1) == first
    assert follow_up_id(EVENT, "retention", 0, attempt=2) != first

"""A store's memory is bounded, keeps what is in use, and is never wrong about what is there."""

from __future__ import annotations

from consumers.deciding.memory import UNKNOWN, PossibleKeys, Recent
from ledger.state import Key
from ledger.state.entities import Order, Stream


def stream(number: int) -> tuple[Key, Stream]:
    return Key(Stream, f"acct-{number}", ""), Stream(sequence=number)


def test_what_is_used_in_every_generation_stays() -> None:
    recent = Recent(10)
    used, entity = stream(0)
    recent.keep(used, entity)
    for number in range(1, 100):
        recent.keep(*stream(number))
        assert recent.find(used) == entity
        recent.age()


def test_what_is_not_used_goes_and_memory_is_bounded() -> None:
    recent = Recent(10)
    for number in range(100):
        recent.keep(*stream(number))
        recent.age()
    kept = [number for number in range(100) if recent.find(stream(number)[0]) is not UNKNOWN]
    assert kept == list(range(90, 100))


def test_nothing_goes_before_the_memory_is_aged() -> None:
    recent = Recent(10)
    for number in range(100):
        recent.keep(*stream(number))
    assert all(recent.find(stream(number)[0]) == stream(number)[1] for number in range(100))


def test_a_key_without_an_entity_is_known_until_it_is_dropped() -> None:
    recent, (key, _) = Recent(10), stream(1)
    recent.keep(key, None)
    assert recent.find(key) is None
    recent.drop(key)
    assert recent.find(key) is UNKNOWN


def test_a_dropped_key_is_dropped_from_both_generations() -> None:
    recent, (key, entity) = Recent(1), stream(1)
    recent.keep(key, entity)
    recent.age()
    recent.find(key)
    recent.drop(key)
    assert recent.find(key) is UNKNOWN


def test_an_added_key_is_always_possible() -> None:
    possible = PossibleKeys(1 << 10)
    keys = [Key(Order, "acct-1", f"o-{number}") for number in range(2_000)]
    possible.add(keys)
    assert all(key in possible for key in keys)


def test_most_other_keys_are_not_possible() -> None:
    possible = PossibleKeys(1 << 15)
    possible.add(Key(Order, "acct-1", f"o-{number}") for number in range(3_000))
    others = [Key(Stream, "acct-1", f"o-{number}") for number in range(3_000)]
    assert sum(key in possible for key in others) < 300


def test_after_all_keys_every_key_is_possible() -> None:
    possible = PossibleKeys(1 << 15)
    possible.add_all()
    assert Key(Order, "acct-1", "o-1") in possible
    possible.clear()
    assert Key(Order, "acct-1", "o-1") not in possible

"""The decider asks who gave a command: by the newest table, and as strictly as the table says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from consumers.dead_letters.redrive import WRITER, Order, resolve
from consumers.dead_letters.status import settled_letter_statuses
from consumers.deciding.decider import PartitionDecider
from ledger.log.seam import Outgoing, Topic, WrongWorld
from ledger.origins.history import Change, ModeSet, OriginHistory
from ledger.origins.signing import Signer
from ledger.origins.table import Algorithm, Mode
from ledger.origins.verifying import Verifier
from ledger.values.instants import HOUR
from ledger.vocabulary.envelope import GivenCommand
from ledger.wire.dead_letters.closing import Resolution, Resolved
from ledger.wire.dead_letters.letter import read_letter
from tests.consumers.ledgers import Bench, opening, record, standing
from tests.ledger.origins.tables import (
    REQUIRED,
    ended,
    history_of,
    key,
    origin,
    secrets_of,
    signer,
)

LEDGER_ID = "t-1-refunds.commands.v1"
WARN, OPEN = ModeSet(mode=Mode.WARN), ModeSet(mode=Mode.OPEN)


class Asking(Bench):
    """A partition whose decider asks who gave a command, by a table that may change."""

    def __init__(self, *changes: Change) -> None:
        super().__init__()
        self.verifier: Verifier | None = None
        self.change(*changes)
        self.world = replace(self.world, verifier=lambda: self.verifier)

    def change(self, *changes: Change) -> OriginHistory:
        """From now on the table has these lines."""
        history = history_of(*REQUIRED, *changes)
        self.verifier = Verifier(history, secrets_of(history), LEDGER_ID)
        return history

    def letters(self) -> list[str]:
        """The reason of each dead letter."""
        found = [read_letter(each) for each in self.records(Topic.DEAD_LETTERS)]
        return [each.reason for each in found if each is not None]


def signed(given: GivenCommand, by: Signer | None = None) -> Outgoing:
    """A command's record with a signature; without a signer, that of upstream billing."""
    plain = record(given)
    by = by or signer(ledger_id=LEDGER_ID)
    added = by.headers(given.meta.account_id, given.meta.command_id, plain.value or b"")
    return replace(plain, headers=(*plain.headers, *added))


def decided(bench: Asking, *records: Outgoing) -> PartitionDecider:
    owner = bench.decider()
    bench.publish(*records)
    owner.step(0)
    return owner


def test_who_gave_a_command_stands_in_its_events() -> None:
    bench = Asking()
    decided(bench, signed(opening()))
    assert bench.verifier is not None
    (event,) = bench.events()[1:]
    told = (event.meta.origin, event.meta.origin_key, event.meta.origins)
    assert told == ("billing", "k1", bench.verifier.table.version)
    assert bench.letters() == []


def test_what_is_not_proven_is_set_aside_and_changes_nothing() -> None:
    bench = Asking(origin("partner", accounts=("acct-2",)), key("partner"))
    good = signed(opening())
    elsewhere = signer(ledger_id="another ledger")
    altered = replace(record(standing(1)), headers=signed(standing(2)).headers)
    decided(
        bench,
        good,
        record(standing(1)),
        altered,
        signed(standing(1), elsewhere),
        signed(standing(1), signer("partner", ledger_id=LEDGER_ID)),
        signed(standing(1), signer("billing", "k9", ledger_id=LEDGER_ID)),
    )
    assert bench.outcomes() == [("AccountOpened", "open")]
    assert bench.letters() == [
        "NOT_SIGNED",
        "WRONG_SIGNATURE",
        "WRONG_SIGNATURE",
        "NOT_ALLOWED",
        "UNKNOWN_ORIGIN",
    ]


def test_a_signed_command_that_comes_twice_is_answered_once() -> None:
    bench = Asking()
    decided(bench, signed(opening()), signed(opening()))
    assert (bench.outcomes(), bench.letters()) == ([("AccountOpened", "open")], [])


def test_a_table_that_warns_takes_it_and_its_events_name_nobody() -> None:
    bench = Asking(WARN)
    decided(bench, record(opening()), signed(standing(1)))
    assert bench.verifier is not None
    version = bench.verifier.table.version
    told = [(each.meta.origin, each.meta.origins) for each in bench.events()[1:]]
    assert told == [("", version), ("billing", version)]
    assert bench.letters() == []


def test_an_open_table_asks_nothing_and_stands_in_the_events_all_the_same() -> None:
    bench = Asking(OPEN)
    decided(bench, signed(opening()), record(standing(1)))
    assert bench.verifier is not None
    told = {(each.meta.origin, each.meta.origins) for each in bench.events()[1:]}
    assert told == {("", bench.verifier.table.version)}


def test_a_changed_table_holds_from_the_next_batch_on() -> None:
    bench = Asking()
    owner = decided(bench, signed(opening()))
    bench.change(ended("billing", "k1", bench.now))
    bench.publish(signed(standing(1)))
    owner.step(0)
    assert (bench.letters(), len(bench.outcomes())) == (["KEY_NOT_VALID"], 1)


@pytest.mark.parametrize("at_start", [True, False])
@pytest.mark.parametrize("table", ["none", "older", "another"])
def test_an_older_table_than_that_of_the_last_event_stops_the_decider(
    table: str, at_start: bool
) -> None:
    bench = Asking(key("billing", "k2"))
    owner = decided(bench, signed(opening()))
    bench.change(*([key("billing", "k3")] if table == "another" else []))
    if table == "none":
        bench.verifier = None
    bench.publish(signed(standing(1)))
    with pytest.raises(WrongWorld, match="the last event was decided by version 6:"):
        bench.decider() if at_start else owner.step(0)
    assert len(bench.outcomes()) == 1


@pytest.mark.parametrize("algorithm", Algorithm)
def test_keys_are_replaced_between_batches_and_nothing_is_lost(algorithm: Algorithm) -> None:
    start = (origin("portal"), key("portal", "k1", algorithm))
    bench = Asking(*start)
    first, second = (signer("portal", k, algorithm, LEDGER_ID) for k in ("k1", "k2"))
    owner = decided(bench, signed(opening(), first))
    both = (*start, key("portal", "k2", algorithm), ended("portal", "k1", bench.now + HOUR))
    numbers = iter(range(1_000))

    def batch(*signers: Signer) -> None:
        bench.publish(*(signed(standing(next(numbers)), by) for by in signers * 20))
        owner.step(0)

    batch(first)
    bench.change(*both)
    batch(first, second)
    bench.now += HOUR
    batch(second)
    assert bench.letters() == []
    assert len(bench.outcomes()) == 1 + next(numbers)
    batch(first)
    assert bench.letters() == ["KEY_NOT_VALID"] * 20
    told = {(each.meta.origin, each.meta.origin_key) for each in bench.events()[1:]}
    assert told == {("portal", "k1"), ("portal", "k2")}


def test_a_dead_letter_keeps_its_signature_when_it_is_redriven() -> None:
    bench = Asking()
    partner = signer("partner", ledger_id=LEDGER_ID)
    owner = decided(bench, signed(opening()), signed(standing(1), partner))
    assert bench.letters() == ["UNKNOWN_ORIGIN"]
    bench.change(origin("partner"), key("partner"))
    (resolution,) = redriven(bench)
    owner.step(0)
    assert resolution.copy is not None
    assert bench.events()[-1].meta.origin == "partner"
    assert bench.outcomes()[-1] == ("AccountStandingChanged", "s-1")


def test_a_redriven_command_needs_a_key_that_is_valid_again() -> None:
    bench = Asking(origin("partner", accounts=("acct-2",)), key("partner"))
    partner = signer("partner", ledger_id=LEDGER_ID)
    owner = decided(bench, signed(opening()), signed(standing(1), partner))
    bench.change(
        origin("partner", accounts=("acct-2",)),
        key("partner"),
        origin("partner"),
        ended("partner", "k1", bench.now),
    )
    redriven(bench)
    owner.step(0)
    assert bench.letters() == ["NOT_ALLOWED", "KEY_NOT_VALID"]


def redriven(bench: Asking) -> list[Resolution]:
    """What `dlq redrive --all` does."""
    writer = bench.cluster.only_writer(WRITER)
    found = settled_letter_statuses(bench.cluster, writer)
    order = Order(kind=Resolved.REDRIVEN, actor="ops-1", reason="")
    return list(resolve(bench.cluster, writer, list(found.values()), order))

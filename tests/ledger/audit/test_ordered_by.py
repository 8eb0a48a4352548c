"""Who gave each command is proven by the version of the table in its events, and not otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from msgspec.structs import replace

from consumers.deciding import recording
from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.recording import Taker
from consumers.deciding.store import Store
from consumers.follow_ups import command_record
from ledger.audit import CHECKS, Divergence, audit
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Topic
from ledger.origins.history import Change, ModeSet, OriginHistory, OriginSet
from ledger.origins.signing import Signer
from ledger.origins.table import Mode
from ledger.origins.verifying import KeptOrigins, Proven, Verifier
from ledger.terms.table import released_terms
from ledger.values.instants import MINUTE, Instant
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.events import (
    AccountOpened,
    AccountStandingChanged,
    LedgerOpened,
    RefundIssued,
)
from ledger.vocabulary.shapes import Role
from tests.consumers.ledgers import START, opening, standing
from tests.ledger.audit.ledgers import everything
from tests.ledger.audit.recorded import RecordedLog
from tests.ledger.origins.tables import (
    ED25519,
    REQUIRED,
    ended,
    history_of,
    key,
    origin,
    secrets_of,
    signer,
)

LEDGER_ID = "t-1"
CHANGES: tuple[Change, ...] = (
    *REQUIRED,
    origin("partner"),
    key("partner", "k1", ED25519),
    ended("billing", "k1", START + 10 * MINUTE),
    key("billing", "k2", since=START),
    ModeSet(mode=Mode.WARN),
    ModeSet(mode=Mode.OPEN),
    ModeSet(mode=Mode.REQUIRED),
)
"""Versions 7, 10, 11, 12 decide two commands each: required, warn, open, required."""


class Story:
    """One partition, whose table gets new lines between the commands."""

    def __init__(self) -> None:
        self.now: Instant = START
        self.cluster = MemoryCluster(1, lambda: self.now)
        self.history = OriginHistory()
        topic_ids = {**{each.value: each.value for each in Topic}, Topic.COMMANDS.value: LEDGER_ID}
        opened = LedgerOpened(
            partition_count=1, topic_ids=topic_ids, sandbox=False, program_version="test"
        )
        self.verifier: Verifier | None = None
        world = World(opened=opened, terms=released_terms(), verifier=lambda: self.verifier)
        log = self.cluster.consumer(GROUP, Topic.COMMANDS)
        self.owner = PartitionDecider(log, 0, Store(None, 0, world.events_topic_id), world)
        self.owner.restore()

    def table(self, lines: int) -> None:
        self.history = history_of(*CHANGES[:lines])
        self.verifier = Verifier(self.history, secrets_of(self.history), LEDGER_ID)

    def give(self, given: GivenCommand, by: Signer | None) -> None:
        self.now += MINUTE
        self.cluster.publish([command_record(given, 1, by)])
        self.owner.step(0)


@cache
def recorded() -> tuple[RecordedLog, OriginHistory]:
    """Every mode, two keys, both algorithms; a redelivery, and a command that is set aside."""
    story = Story()
    story.give(opening(), None)
    story.table(7)
    billing = signer(ledger_id=LEDGER_ID)
    story.give(standing(1), billing)
    story.give(standing(1), billing)
    story.give(standing(2), signer("partner", "k1", ED25519, LEDGER_ID))
    story.give(standing(3), None)
    story.table(10)
    story.give(standing(4), None)
    story.give(standing(5), billing)
    story.table(11)
    story.give(standing(6), None)
    story.table(12)
    story.give(standing(7), signer("billing", "k2", ledger_id=LEDGER_ID))
    return RecordedLog(story.cluster, GROUP), story.history


def log() -> RecordedLog:
    return recorded()[0].copied()


def found_in(falsified: RecordedLog, kept: KeptOrigins | None = None) -> Divergence | None:
    history = recorded()[1]
    origins = kept or KeptOrigins(history=history, secrets=secrets_of(history))
    checks = [each for each in CHECKS if each.name == "ordered_by"]
    return next(iter(audit(falsified, "", checks, origins=origins).divergences), None)


def answered(s: RecordedLog, command_id: str) -> int:
    """The place of the command with this id among the records."""
    ids = [dict(each.headers)["ce_id"].decode() for each in s.commands(0)]
    return ids.index(command_id)


def test_a_log_with_every_mode_and_key_breaks_no_claim() -> None:
    history = recorded()[1]
    kept = KeptOrigins(history=history, secrets=secrets_of(history))
    assert audit(log(), "", origins=kept).divergences == ()
    assert len(log().letters(0)) == 1


def _altered(s: RecordedLog, command_id: str, **changes: object) -> None:
    place = answered(s, command_id)
    s.commands(0)[place] = replace(s.commands(0)[place], **changes)


def signature_gone(s: RecordedLog) -> None:
    _altered(s, "s-1", headers=s.commands(0)[answered(s, "s-1")].headers[:-1])


def signature_of_another(s: RecordedLog) -> None:
    _altered(s, "s-7", headers=s.commands(0)[answered(s, "s-1")].headers)


def taken_before_the_key_was_valid(s: RecordedLog) -> None:
    _altered(s, "s-7", appended_at=START - 1)


def taken_after_the_key_had_ended(s: RecordedLog) -> None:
    _altered(s, "s-5", appended_at=START + 10 * MINUTE)


def command_gone(s: RecordedLog) -> None:
    del s.commands(0)[answered(s, "s-2")]


def another_origin(s: RecordedLog) -> None:
    s.forge_meta(AccountStandingChanged, 0, origin="partner")


def another_key(s: RecordedLog) -> None:
    s.forge_meta(AccountStandingChanged, 0, origin_key="k2")


def nobody_where_one_was_asked(s: RecordedLog) -> None:
    s.forge_meta(AccountStandingChanged, 0, origin="", origin_key="")


def no_version_after_one(s: RecordedLog) -> None:
    s.forge_meta(AccountStandingChanged, 1, origin="", origin_key="", origins="")


def older_version_than_before(s: RecordedLog) -> None:
    older = recorded()[1].tables[5].version
    s.forge_meta(AccountStandingChanged, 2, origins=older)


def somebody_where_nobody_was_asked(s: RecordedLog) -> None:
    s.forge_meta(AccountStandingChanged, 4, origin="billing", origin_key="k1")


PLANTS: tuple[tuple[Callable[[RecordedLog], None], str], ...] = (
    (signature_gone, "NOT_SIGNED"),
    (signature_of_another, "WRONG_SIGNATURE"),
    (taken_before_the_key_was_valid, "KEY_NOT_VALID"),
    (taken_after_the_key_had_ended, "KEY_NOT_VALID"),
    (command_gone, "no command at offset"),
    (another_origin, "Proven(origin='billing', key_id='k1')"),
    (another_key, "Proven(origin='billing', key_id='k1')"),
    (nobody_where_one_was_asked, "Proven(origin='billing', key_id='k1')"),
    (no_version_after_one, "nobody by version none"),
    (older_version_than_before, "nobody by version 5:"),
    (somebody_where_nobody_was_asked, "billing/k1 by version 11:"),
)


@pytest.mark.parametrize(("plant", "told"), PLANTS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_planted_fault_is_found(plant: Callable[[RecordedLog], None], told: str) -> None:
    falsified = log()
    plant(falsified)
    found = found_in(falsified)
    assert found is not None
    assert (found.check, found.topic) == ("ordered_by", Topic.EVENTS)
    assert told in found.found


def test_without_the_table_nothing_is_proven() -> None:
    found = found_in(log(), KeptOrigins(history=OriginHistory(lines=()), secrets={}))
    assert found is not None
    assert found.expected == "a version of the table of origins, up to none"


def test_without_a_secret_it_is_told_what_is_missing() -> None:
    found = found_in(log(), KeptOrigins(history=recorded()[1], secrets={}))
    assert found is not None
    assert found.found == "it cannot be verified: the secret of key ledger/k1 is missing"


def test_a_decider_that_does_not_verify_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: whatever stands in the headers is believed."""

    def believed(found: object, given: object, taker: Taker) -> tuple[Proven, None]:
        return Proven(origin="billing", key_id="k1"), None

    story = Story()
    story.table(7)
    story.give(opening(), signer(ledger_id=LEDGER_ID))
    monkeypatch.setattr(recording, "origin_of", believed)
    story.give(standing(1), signer(ledger_id="another ledger"))
    kept = KeptOrigins(history=story.history, secrets=secrets_of(story.history))
    (found,) = audit(RecordedLog(story.cluster, GROUP), "", origins=kept).divergences
    assert (found.check, found.offset) == ("ordered_by", 4)
    assert found.found.startswith("WRONG_SIGNATURE")


def test_all_events_of_a_command_name_the_same_origin() -> None:
    falsified = everything()
    falsified.forge_meta(RefundIssued, origin="billing")
    found = found_in(falsified, KeptOrigins())
    assert found is not None
    assert (found.expected, found.found) == (
        "nobody by version none",
        "billing/ by version none",
    )


def test_rights_are_those_of_the_version_that_decided() -> None:
    """Less is allowed later; what was decided before stays proven."""
    story = Story()
    story.table(7)
    story.give(opening(), signer(ledger_id=LEDGER_ID))
    less = history_of(*CHANGES[:7], OriginSet(name="billing", roles=(Role.OWNER,)))
    kept = KeptOrigins(history=less, secrets=secrets_of(less))
    assert audit(RecordedLog(story.cluster, GROUP), "", origins=kept).divergences == ()


def test_a_role_that_it_might_not_name_is_found() -> None:
    """Signed well, by one who may not say so; as a decider would have let it through."""
    story = Story()
    story.table(7)
    story.give(opening(), signer(ledger_id=LEDGER_ID))
    less = history_of(*CHANGES[:3], origin("billing", Role.OWNER), *CHANGES[3:5])
    forged = RecordedLog(story.cluster, GROUP)
    forged.forge_meta(AccountOpened, origins=less.newest.version)
    found = found_in(forged, KeptOrigins(history=less, secrets=secrets_of(less)))
    assert found is not None
    assert found.found == "NOT_ALLOWED: origin billing may not give OpenAccount as BILLING"

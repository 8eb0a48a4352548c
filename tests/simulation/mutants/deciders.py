"""Bugs of the decider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

import ledger.decide as deciding_rules
from consumers.deciding import folding
from consumers.deciding.decider import CommitLost, PartitionDecider
from consumers.deciding.folding import Fold
from consumers.deciding.recording import ChainEnd
from ledger.log.seam import Log, LogRecord, Outgoing, Topic
from ledger.policies.case import Case
from ledger.state import Change, State
from ledger.state.entities import Refund, SeenCommand, Stream
from ledger.values.instants import Instant
from ledger.vocabulary.envelope import GivenCommand, RecordedEvent
from ledger.wire.avro.codec import decode_event
from tests.simulation.mutants.planting import Patch, mutant


def _fence_after_restoring(patch: Patch) -> None:
    """The fence comes before anything is asked."""

    def restoring(self: PartitionDecider) -> Iterator[None]:
        log = self._log
        self._log = _Unfenced(log)
        try:
            yield from original(self)
        finally:
            self._log = log
        log.fence(self._partition)

    def open_ledger(self: PartitionDecider) -> None:
        unfenced: Any = self._log
        unfenced.log.fence(self._partition)
        opening(self)

    original = patch.put(PartitionDecider, "restoring", restoring)
    opening = patch.put(PartitionDecider, "_open", open_ledger)


def _lost_commit_tried_again(patch: Patch) -> None:
    """After a failed commit the process ends; nothing is tried again within it."""

    def finish(self: PartitionDecider) -> None:
        try:
            original(self)
        except CommitLost:
            return

    original = patch.put(PartitionDecider, "finish", finish)


def _no_dedupe(patch: Patch) -> None:
    """A command that was decided before leads to nothing new."""
    patch.put(deciding_rules, "is_duplicate", lambda case: False)


def _dedupe_by_id_alone(patch: Patch) -> None:
    """Another content under a known id is no duplicate: it is refused, once."""

    def known(case: Case) -> bool:
        return case.find(SeenCommand, case.given.meta.command_id) is not None

    patch.put(deciding_rules, "is_duplicate", known)


def _wall_clock(patch: Patch) -> None:
    """A command is decided at the broker's append time, not at the clock of who decides."""

    def instant(self: PartitionDecider, given: GivenCommand, found: LogRecord) -> Instant:
        log: Any = self._log
        now: Instant = log._world.now
        return now

    patch.put(PartitionDecider, "_instant", instant)


def _time_goes_back(patch: Patch) -> None:
    """The deciding instant is never before the last one of the partition."""

    def decide(self: PartitionDecider, found: LogRecord, given: GivenCommand) -> list[Outgoing]:
        self._end = replace(self._end, recorded_at=0)
        return original(self, found, given)  # type: ignore[no-any-return]  # a patch

    original = patch.put(PartitionDecider, "_decide", decide)


def _torn_outcome_accepted(patch: Patch) -> None:
    """An outcome of which events are missing refuses to start."""

    def after(self: ChainEnd, recorded: RecordedEvent, body_hash: bytes) -> ChainEnd:
        end: ChainEnd = original(self, recorded, body_hash)
        return replace(end, missing=0)

    original = patch.put(ChainEnd, "after", after)


def _opening_not_compared(patch: Patch) -> None:
    """A ledger is started in the world it was opened in."""
    patch.put(PartitionDecider, "_check_opening", lambda self: None)


def _chain_not_compared(patch: Patch) -> None:
    """Every event of a restore continues the chain."""

    def fold_one(self: Fold, found: LogRecord) -> None:
        event = decode_event(found.value)
        if event.meta.log_sequence > self.end.log_sequence:
            end = replace(self.end, last_hash=event.meta.prev_hash)
            self.end = replace(end, log_sequence=event.meta.log_sequence - 1)
        original(self, found)

    original = patch.put(Fold, "_fold_one", fold_one)


def _sequences_of_the_process(patch: Patch) -> None:
    """An account's sequence is folded from its events, not counted by the process."""

    def fold_one(self: Fold, found: LogRecord) -> None:
        whole = vars(folding)["evolve"]

        def without_sequences(state: State, recorded: RecordedEvent) -> list[Change]:
            return [each for each in whole(state, recorded) if each[0].kind is not Stream]

        setattr(folding, "evolve", without_sequences)  # noqa: B010 - mypy knows no such export
        try:
            original(self, found)
        finally:
            setattr(folding, "evolve", whole)  # noqa: B010 - as above

    original = patch.put(Fold, "_fold_one", fold_one)


def _answers_of_the_process(patch: Patch) -> None:
    """What a gateway said is folded from the events, not remembered by the process."""

    def fold_one(self: Fold, found: LogRecord) -> None:
        whole = vars(folding)["evolve"]

        def without_answers(state: State, recorded: RecordedEvent) -> list[Change]:
            return [
                (key, replace(one, attempts=()) if isinstance(one, Refund) else one)
                for key, one in whole(state, recorded)
            ]

        setattr(folding, "evolve", without_answers)  # noqa: B010 - mypy knows no such export
        try:
            original(self, found)
        finally:
            setattr(folding, "evolve", whole)  # noqa: B010 - as above

    original = patch.put(Fold, "_fold_one", fold_one)


def _forgotten_offset_taken_for_the_end(patch: Patch) -> None:
    """Without an offset the log itself says where to go on."""

    def restoring(self: PartitionDecider) -> Iterator[None]:
        yield from original(self)
        log: Any = self._log
        if log.committed(self._partition) is None:
            self._position = log.high_watermark(Topic.COMMANDS, self._partition)

    original = patch.put(PartitionDecider, "restoring", restoring)


def _chain_end_of_a_dead_letter_kept(patch: Patch) -> None:
    """Of a command that breaks the code nothing remains: not in the chain's end either."""

    def decide_or_not(self: PartitionDecider, found: LogRecord) -> list[Outgoing]:
        outgoing: list[Outgoing] = original(self, found)
        broke = any(b"BREAKS_THE_CODE" in value for each in outgoing for _, value in each.headers)
        if broke:
            self._end = replace(self._end, log_sequence=self._end.log_sequence + 1)
        return outgoing

    original = patch.put(PartitionDecider, "_decide_or_set_aside", decide_or_not)


class _Unfenced:
    """A log that fences nobody."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def fence(self, partition: int) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)


MUTANTS = tuple(
    map(
        mutant,
        (
            _fence_after_restoring,
            _lost_commit_tried_again,
            _no_dedupe,
            _dedupe_by_id_alone,
            _wall_clock,
            _time_goes_back,
            _torn_outcome_accepted,
            _opening_not_compared,
            _chain_not_compared,
            _sequences_of_the_process,
            _answers_of_the_process,
            _forgotten_offset_taken_for_the_end,
            _chain_end_of_a_dead_letter_kept,
        ),
    )
)

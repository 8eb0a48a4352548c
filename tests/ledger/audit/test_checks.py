"""Every check finds the fault that breaks its claim, where it is; a clean log breaks none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from msgspec.structs import replace

from ledger.audit import CHECKS, Check, Divergence, audit
from ledger.audit import checks as checks_package
from ledger.audit.account_spool import SLICE_RECORDS
from ledger.audit.evidence import PartitionEnd, Seen, SeenDeadLetter
from ledger.audit.looks import Looks
from ledger.terms.table import TermsTable, released_terms
from ledger.vocabulary.commands import OpenAccount, TakeInstanceOffline
from ledger.vocabulary.events import RefundIssued
from ledger.vocabulary.shapes import AccountType
from ledger.wire.avro.codec import decode_event, encode_event
from tests.ledger.audit import faults_of_answers as answers
from tests.ledger.audit import faults_of_causes as causes
from tests.ledger.audit import faults_of_documents as documents
from tests.ledger.audit import faults_of_erasures as erasures
from tests.ledger.audit import faults_of_letters as letters
from tests.ledger.audit import faults_of_money as money
from tests.ledger.audit import faults_of_order as order
from tests.ledger.audit import faults_of_origins as origins
from tests.ledger.audit import faults_of_verdicts as verdicts
from tests.ledger.audit.ledgers import BILLING, ONLINE, START, everything, value_of
from tests.ledger.audit.recorded import Place, RecordedLog

ANY = "anybody"

CLEAN = cache(everything)


def log() -> RecordedLog:
    """A clean log of one's own to falsify."""
    return CLEAN().copied()


def found_in(falsified: RecordedLog, slice_records: int = SLICE_RECORDS) -> dict[str, Divergence]:
    return {
        each.check: each for each in audit(falsified, ANY, slice_records=slice_records).divergences
    }


PLANTS: dict[str, tuple[Callable[[RecordedLog], Place], ...]] = {
    "framing_and_schema": (order.unknown_schema, order.torn_body),
    "canonical_bytes": (order.trailing_byte, order.overlong_number),
    "opened_first": (
        order.opening_gone,
        order.nothing_opened,
        order.opened_twice,
        order.other_partition_count,
        order.partition_of_another_ledger,
    ),
    "partition_and_key": (order.other_key, order.other_partition),
    "gapless_sequences": (
        order.event_dropped,
        order.events_swapped,
        order.event_doubled,
        order.account_sequence_skipped,
    ),
    "hash_chain": (order.chain_broken, order.event_dropped, order.events_swapped),
    "causes_exist": (
        causes.command_gone,
        causes.command_changed,
        causes.command_unreadable,
        causes.other_command_id,
        causes.other_actor,
        causes.other_approval,
        causes.other_digest,
        causes.other_source_partition,
        causes.cause_renamed,
        causes.event_id_reused,
    ),
    "ordered_by": (
        origins.version_that_is_not_there,
        origins.origin_without_a_version,
        origins.key_without_a_version,
    ),
    "one_outcome_per_command": (
        causes.outcome_dropped,
        causes.last_outcome_dropped,
        causes.half_an_outcome,
        causes.decided_twice,
        causes.one_event_too_many,
        causes.outcome_moved_to_the_end,
        causes.letter_lost,
    ),
    "dead_letters": (
        causes.letter_changed,
        causes.letter_of_another_key,
        causes.letter_without_the_original_headers,
        causes.letter_of_no_command,
        causes.letter_of_another_topic,
        causes.letter_without_a_reason,
        causes.letter_sent_twice,
        causes.letter_of_a_decided_command,
    ),
    "letters_closed_once": (
        letters.closed_twice,
        letters.discarded_and_redriven,
        letters.closed_what_is_not_there,
        letters.closed_before_it_was_set_aside,
        letters.closed_by_nobody,
        letters.discarded_without_a_reason,
        letters.redriven_to_nowhere,
        letters.redriven_to_a_partition_that_is_not_there,
        letters.redriven_as_something_else,
        letters.redriven_under_other_headers,
        letters.redriven_as_itself,
        letters.resolution_without_sense,
    ),
    "instants": (
        causes.back_in_time,
        causes.later_than_its_command,
        causes.occurred_in_the_future,
        causes.after_the_year_9999,
        causes.occurred_after_the_year_9999,
        causes.before_the_year_1,
    ),
    "postings_balance": (
        money.one_side_changed,
        money.balanced_only_across_transactions,
        money.negative_posting,
    ),
    "refund_sums": (
        money.amount_changed,
        money.parts_changed,
        money.negative_part,
        money.exchange_does_not_add_up,
    ),
    "refunds_at_most_paid": (
        money.fund_overpaid,
        money.instance_overpaid,
        money.ended_order_refunded_again,
        money.purchase_overpaid,
        money.reservation_overpaid,
        money.more_given_back_than_held,
        money.reservation_begun_in_no_year,
        money.reservation_without_a_month,
    ),
    "refund_progress": (
        money.settled_twice,
        money.paid_out_twice,
        money.paid_out_more_than_owed,
        money.paid_out_as_another_fund,
        money.paid_out_in_another_currency,
        money.settled_without_paying_out,
        money.settled_though_never_issued,
        money.issued_twice,
        answers.overpaid_more_than_owed,
        answers.overpaid_of_the_wrong_account,
        answers.overpaid_while_it_was_owed,
    ),
    "gateway_answers": (
        answers.attempt_numbered_wrong,
        answers.asked_again_without_an_answer,
        answers.answer_of_none,
        answers.answer_of_attempt_0,
        answers.payment_booked_twice,
        answers.said_twice,
        answers.failure_of_what_was_confirmed,
        answers.payment_only_recorded,
    ),
    "documents": (
        documents.lines_do_not_add_up,
        documents.total_is_negative,
        documents.one_is_lost,
        documents.one_bought_is_lost,
        documents.one_stands_twice,
        documents.one_nobody_bought,
        documents.price_changed,
        documents.refund_not_shown,
        documents.another_invoice_cancelled,
    ),
    "erasures": (
        erasures.number_left_out,
        erasures.number_named_twice,
        erasures.destroyed_key_used,
        erasures.destroyed_key_in_the_working,
    ),
    "same_verdict": (
        verdicts.another_amount,
        verdicts.another_sentence,
        verdicts.another_instant,
        causes.occurred_after_the_year_9999,
        causes.half_an_outcome,
        causes.one_event_too_many,
        causes.decided_twice,
        verdicts.unknown_terms,
        verdicts.terms_before_their_time,
        verdicts.edition_of_long_ago,
        verdicts.edition_to_come,
        verdicts.nothing_to_follow,
    ),
}
CASES = [
    pytest.param(check, plant, id=f"{check}-{plant.__name__}")
    for check, plants in PLANTS.items()
    for plant in plants
]


def test_a_clean_log_breaks_no_claim() -> None:
    report = audit(log(), ANY)
    assert report.divergences == ()
    assert (report.commands, report.dead_letters) == (41, 1)
    assert report.events == sum(len(log().events(partition)) for partition in (0, 1))


def test_texts_before_and_after_erasures_are_no_fault() -> None:
    assert audit(erasures.log_with_erasures(), ANY).divergences == ()


def test_an_id_that_looks_like_a_sealed_text_is_no_fault() -> None:
    assert audit(erasures.log_with_an_id_like_a_text(), ANY).divergences == ()


@pytest.mark.parametrize("act", [letters.redriven, letters.closed])
def test_a_letter_given_back_or_closed_is_no_fault(act: Callable[[RecordedLog], object]) -> None:
    closed = log()
    act(closed)
    assert audit(closed, ANY).divergences == ()


@pytest.mark.parametrize(("check", "plant"), CASES)
def test_a_planted_fault_is_found_where_it_is(
    check: str, plant: Callable[[RecordedLog], Place]
) -> None:
    falsified = log()
    place = plant(falsified)
    found = found_in(falsified)
    assert check in found, f"not found; others say {found}"
    seen = found[check]
    assert (seen.topic, seen.partition, seen.offset) == place, seen
    assert seen.expected != seen.found


@pytest.mark.parametrize(("check", "plant"), CASES)
def test_it_is_found_as_well_when_each_account_is_a_slice(
    check: str, plant: Callable[[RecordedLog], Place]
) -> None:
    falsified = log()
    plant(falsified)
    found = found_in(falsified, slice_records=1)
    assert found[check] == found_in(falsified)[check]


def test_every_check_has_a_plant() -> None:
    assert list(PLANTS) == [each.name for each in CHECKS]


def test_every_file_of_the_folder_is_in_the_tuple() -> None:
    folder = Path(checks_package.__path__[0])
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {each.name for each in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.name)
def test_every_check_says_what_it_claims(check: Check) -> None:
    assert check.claim.endswith(".")
    assert len(check.claim) > 40


def test_a_command_that_is_not_decided_yet_is_no_fault() -> None:
    waiting = log()
    opened = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    last = waiting.commands(0)[-1]
    value = value_of(ONLINE, "c-new", TakeInstanceOffline(instance_id="i-2"), BILLING)
    waiting.commands(0).append(replace(last, offset=last.offset + 2, value=value))
    other = value_of("acct-2", "open-again", opened, BILLING)
    end = waiting.commands(1)[-1]
    waiting.commands(1).append(replace(end, offset=end.offset + 3, value=other))
    assert audit(waiting, ANY).divergences == ()


def test_without_a_committed_offset_a_later_event_shows_what_was_decided() -> None:
    falsified = log()
    place = causes.outcome_dropped(falsified)
    falsified.decided = [None, None]
    seen = found_in(falsified)["one_outcome_per_command"]
    assert (seen.topic, seen.partition, seen.offset) == place


class Broken:
    """A check that ends with an error."""

    heeds: ClassVar[tuple[type, ...]] = (SeenDeadLetter, PartitionEnd)

    def __init__(self, error: Exception) -> None:
        self._error = error

    def look(self, seen: Seen) -> Iterable[Divergence]:
        """Never comes to an answer."""
        raise self._error


def test_an_error_that_no_event_can_cause_ends_the_audit() -> None:
    end = PartitionEnd(partition=0)
    letter = SeenDeadLetter(record=CLEAN().letters(0)[0], source_offset=0)
    for error, seen in ((ZeroDivisionError(), end), (MemoryError(), letter)):
        with pytest.raises(type(error)):
            Looks({"broken": Broken(error)}, {}).give(1, seen)


def test_only_the_first_divergence_of_a_check_is_told() -> None:
    falsified = log()
    first = falsified.forge(RefundIssued, amount=1)
    falsified.forge(RefundIssued, 3, amount=2)
    told = [each for each in audit(falsified, ANY).divergences if each.check == "refund_sums"]
    assert [each.offset for each in told] == [first.offset]


def test_the_last_event_may_be_the_one_encoding_only() -> None:
    """Decoding and encoding gives every event of the clean log back."""
    for partition in (0, 1):
        for record in CLEAN().events(partition):
            assert encode_event(decode_event(record.value))[0] == record.value


def test_a_verdict_under_terms_of_ones_own_is_judged_by_those() -> None:
    first = released_terms().versions[0]
    own = TermsTable(versions=(first, replace(first, version="own", effective_from=START)))
    log_of_own = everything(own)
    assert audit(log_of_own, ANY, terms=own).divergences == ()
    found = {each.check: each for each in audit(log_of_own, ANY).divergences}
    assert list(found) == ["same_verdict"]
    assert found["same_verdict"].found == "'own'"


def test_all_events_of_a_command_are_judged_by_the_terms_of_the_first() -> None:
    """Version 1 is in force too, until the next one begins; only the second event names it."""
    first = released_terms().versions[0]
    own = TermsTable(versions=(first, replace(first, version="own", effective_from=START)))
    falsified = everything(own)
    second = falsified.forge_meta(RefundIssued, terms=first.version)
    assert decode_event(second.value).meta.index == 1
    told = {each.check: each for each in audit(falsified, ANY, terms=own).divergences}
    assert list(told) == ["same_verdict"]
    assert told["same_verdict"].offset == second.offset
    assert told["same_verdict"].found == "terms 1"

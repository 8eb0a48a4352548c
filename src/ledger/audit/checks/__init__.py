"""The audit's checks, one claim per file; only `same_verdict` uses the code that it checks."""

from __future__ import annotations

import inspect

from ledger.audit.checks.canonical_bytes import CanonicalBytes
from ledger.audit.checks.causes_exist import CausesExist
from ledger.audit.checks.dead_letters import DeadLetters
from ledger.audit.checks.documents import Documents
from ledger.audit.checks.framing_and_schema import FramingAndSchema
from ledger.audit.checks.gapless_sequences import GaplessSequences
from ledger.audit.checks.gateway_answers import GatewayAnswers
from ledger.audit.checks.hash_chain import HashChain
from ledger.audit.checks.instants import Instants
from ledger.audit.checks.letters_closed_once import LettersClosedOnce
from ledger.audit.checks.one_outcome_per_command import OneOutcomePerCommand
from ledger.audit.checks.opened_first import OpenedFirst
from ledger.audit.checks.ordered_by import OrderedBy
from ledger.audit.checks.partition_and_key import PartitionAndKey
from ledger.audit.checks.postings_balance import PostingsBalance
from ledger.audit.checks.refund_progress import RefundProgress
from ledger.audit.checks.refund_sums import RefundSums
from ledger.audit.checks.refunds_at_most_paid import RefundsAtMostPaid
from ledger.audit.checks.same_verdict import SameVerdict
from ledger.audit.evidence import Check

CHECKS: tuple[type[Check], ...] = (
    FramingAndSchema,
    CanonicalBytes,
    OpenedFirst,
    PartitionAndKey,
    GaplessSequences,
    HashChain,
    CausesExist,
    OrderedBy,
    OneOutcomePerCommand,
    DeadLetters,
    LettersClosedOnce,
    Instants,
    PostingsBalance,
    RefundSums,
    RefundsAtMostPaid,
    RefundProgress,
    GatewayAnswers,
    Documents,
    SameVerdict,
)
"""In the order in which divergences are reported: bytes, order, causes, money, verdicts."""


def name_of(kind: type[Check]) -> str:
    """The name of a check is the name of its module."""
    return kind.__module__.rpartition(".")[2]


def claim_of(kind: type[Check]) -> str:
    """The claim of a check, on one line."""
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())

"""The audit's checks, one claim per file; only `same_verdict` uses the code that it checks."""

from __future__ import annotations

import inspect

from ledger.audit.checks.canonical_bytes import CanonicalBytes
from ledger.audit.checks.causes_exist import AccountCauses, CausesExist
from ledger.audit.checks.dead_letters import DeadLetters
from ledger.audit.checks.documents import Documents
from ledger.audit.checks.erasures import Erasures
from ledger.audit.checks.framing_and_schema import FramingAndSchema
from ledger.audit.checks.gapless_sequences import AccountSequences, GaplessSequences
from ledger.audit.checks.gateway_answers import GatewayAnswers
from ledger.audit.checks.hash_chain import HashChain
from ledger.audit.checks.instants import Instants
from ledger.audit.checks.letters_closed_once import LettersClosedOnce
from ledger.audit.checks.one_outcome_per_command import AccountOutcomes, OneOutcomePerCommand
from ledger.audit.checks.opened_first import OpenedFirst
from ledger.audit.checks.ordered_by import OrderedBy
from ledger.audit.checks.partition_and_key import PartitionAndKey
from ledger.audit.checks.postings_balance import PostingsBalance
from ledger.audit.checks.refund_progress import RefundProgress
from ledger.audit.checks.refund_sums import RefundSums
from ledger.audit.checks.refunds_at_most_paid import RefundsAtMostPaid
from ledger.audit.checks.same_verdict import RulesOfThatTime, SameVerdict
from ledger.audit.evidence import AccountCheck, Check, LogCheck


def _check(
    of_log: type[LogCheck] | None = None, of_accounts: type[AccountCheck] | None = None
) -> Check:
    """A check has the name of its module; its claim is the docstring of its first class."""
    kind = of_log or of_accounts
    claim = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]
    return Check(
        name=kind.__module__.rpartition(".")[2],
        claim=" ".join(claim.split()),
        of_log=of_log,
        of_accounts=of_accounts,
    )


CHECKS: tuple[Check, ...] = (
    _check(FramingAndSchema),
    _check(CanonicalBytes),
    _check(OpenedFirst),
    _check(PartitionAndKey),
    _check(GaplessSequences, AccountSequences),
    _check(HashChain),
    _check(CausesExist, AccountCauses),
    _check(OrderedBy),
    _check(OneOutcomePerCommand, AccountOutcomes),
    _check(DeadLetters),
    _check(LettersClosedOnce),
    _check(Instants),
    _check(PostingsBalance),
    _check(RefundSums),
    _check(of_accounts=RefundsAtMostPaid),
    _check(of_accounts=RefundProgress),
    _check(of_accounts=GatewayAnswers),
    _check(of_accounts=Documents),
    _check(of_accounts=Erasures),
    _check(RulesOfThatTime, SameVerdict),
)
"""In the order in which divergences are reported: bytes, order, causes, money, verdicts."""

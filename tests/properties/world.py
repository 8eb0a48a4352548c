"""A ledger with an account of every kind, its recount beside it, and what must always hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from ledger.audit.checks.documents import Documents
from ledger.audit.evidence import AuditedPartition, SeenEvent
from ledger.audit.kept import Kept
from ledger.log.seam import LogRecord
from ledger.state import Key
from ledger.state.entities import (
    Account,
    Entity,
    Refund,
    RefundStatus,
    RefusedReuse,
    SeenCommand,
    Stream,
)
from ledger.terms.table import CapBasis, TermsTable, released_terms
from ledger.values.refusal import Code
from ledger.vocabulary.commands import Command, ConfirmCardRefund, FailCardRefund
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import CommandRefused, Event, RefundIssued
from ledger.vocabulary.shapes import AccountType, RefundRule, Role
from tests.properties.recount import Recount
from tests.scenario import Scenario

E = TypeVar("E", bound=Entity)
ONLINE, EA, CSP, CARD = "online", "ea", "csp", "card"
ACCOUNTS = {
    ONLINE: AccountType.ONLINE,
    EA: AccountType.EA,
    CSP: AccountType.CSP,
    CARD: AccountType.PAYG_CARD,
}


class Given(Struct, frozen=True, kw_only=True):
    """A command as it was given, to be given again."""

    account: str
    command: Command
    role: Role | None
    actor_id: str
    id: str
    at: int


_ANYWHERE = LogRecord(partition=0, offset=0, appended_at=0, key=None, value=None)
_AUDITED = AuditedPartition(
    partition=0, partition_count=1, opened=None, decided=None, terms=released_terms()
)


class World:
    """Every command goes through `give`: decided, folded, recounted and checked."""

    def __init__(self, terms: TermsTable, currencies: dict[str, str]) -> None:
        self.s = Scenario(terms=terms)
        self.currencies = currencies
        self.recounts: dict[str, Recount] = defaultdict(Recount)
        self.given: list[Given] = []
        self.outcomes: list[tuple[Event, ...]] = []
        self.named = 0
        self.documents = Documents(_AUDITED, Kept())
        for account, account_type in ACCOUNTS.items():
            self.s.account = account
            self.s.opened(account_type, currencies[account])
        self._documents_hold(self.s.recorded)

    @property
    def currency(self) -> str:
        """Of the account that acts."""
        return self.currencies[self.s.account]

    @property
    def rate(self) -> str:
        """US dollars for one unit of it."""
        return "1" if self.currency == "USD" else "0.137"

    def fresh(self, noun: str, *, taken: bool = False) -> str:
        """An id not used before, or one that is."""
        self.named += not taken
        return f"{noun}-{1 if taken else self.named}"

    def all(self, kind: type[E]) -> list[tuple[str, E]]:
        """The acting account's, by id, in the order they came to be."""
        return [
            (key.entity_id, one)
            for key, one in self.s.state.entities().items()
            if isinstance(one, kind) and key.account_id == self.s.account
        ]

    def some(self, kind: type[E], pick: int) -> tuple[str, E | None]:
        """One of them, the youngest first; now and then one that is not there."""
        there = self.all(kind)
        if not there or pick % 16 == 15:
            return "none-404", None
        return there[-1 - (pick // 2) % len(there)]

    def give(
        self,
        command: Command,
        role: Role | None = None,
        actor_id: str = "u-1",
        *,
        id: str | None = None,  # noqa: A002 - as a scenario calls it
    ) -> tuple[Event, ...]:
        """Gives it and checks what came of it."""
        given = Given(
            account=self.s.account,
            command=command,
            role=role,
            actor_id=actor_id,
            id=f"c-{len(self.given)}" if id is None else id,
            at=self.s.now,
        )
        before, length = self.s.state.entities(), len(self.s.recorded)
        consumed = self.recounts[self.s.account].consumed(self.s.now)
        outcome = self.s.give(command, role=role, actor_id=actor_id, id=given.id)
        self.given.append(given)
        self.outcomes.append(outcome)
        recount = self.recounts[self.s.account]
        for event in self.s.recorded[length:]:
            recount.add(event)
        self._kept(command, outcome)
        self._documents_hold(self.s.recorded[length:])
        if not outcome:
            assert self.s.state.entities() == before, "a duplicate changed something"
        elif any(isinstance(body, CommandRefused) for body in outcome):
            assert len(outcome) == 1, "a refusal comes alone"
            self._nothing_but_the_refusal(before)
        self._within_the_cap(outcome, consumed)
        return outcome

    def _kept(self, command: Command, outcome: tuple[Event, ...]) -> None:
        """What a gateway says is an event, unless it was said before or can not be."""
        if not isinstance(command, ConfirmCardRefund | FailCardRefund) or not outcome:
            return
        first, recount = outcome[0], self.recounts[self.s.account]
        one = recount.refunds.get(command.refund_id)
        if one is not None and not isinstance(first, CommandRefused):
            assert getattr(first, "gateway_reference", "") == command.gateway_reference
            assert getattr(first, "attempt", 0) == (command.attempt or one.asked)
            return
        assert isinstance(first, CommandRefused)
        if first.violations[0].code is not Code.WRONG_STATE or one is None or not one.asked:
            return
        number = command.attempt or one.asked
        paid = {each for told in one.payments.values() for each in told}
        said = one.payments if isinstance(command, ConfirmCardRefund) else one.failures
        assert number in said.get(command.gateway_reference, ()) or (
            isinstance(command, FailCardRefund) and number in paid
        ), "an answer was lost"

    def again(self, pick: int) -> None:
        """A command once more, as it was: nothing comes of it."""
        if self.given:
            one = self.given[-1 - pick % len(self.given)]
            self.s.account = one.account
            assert self.give(one.command, one.role, one.actor_id, id=one.id) == ()

    def _nothing_but_the_refusal(self, before: dict[Key, Entity]) -> None:
        after = self.s.state.entities()
        changed = {key.kind for key, one in after.items() if before.get(key) != one}
        assert changed <= {Stream, SeenCommand, RefusedReuse}, changed

    def _documents_hold(self, recorded: Sequence[RecordedEvent]) -> None:
        """Standing invoices show each purchase once, none has a negative total."""
        for event in recorded:
            seen = SeenEvent(record=_ANYWHERE, meta=event.meta, body=event.body)
            assert list(self.documents.look(seen)) == []

    def _within_the_cap(self, outcome: tuple[Event, ...], consumed: tuple[int, int]) -> None:
        """The working shows what a naive reader finds consumed; a refund issued fits beside it."""
        terms = self.s.terms.at(self.s.now)
        before = consumed[0 if terms.cap_basis is CapBasis.REFUND else 1]
        for body in outcome:
            for step in getattr(body, "working", ()):
                if step.step == "refund_cap":
                    assert step.inputs["consumed"] == f"{before // 100}.{before % 100:02d} USD"
            if isinstance(body, RefundIssued) and body.cap is not None:
                uses = (body.cap.refund_usd, body.cap.cancelled_commitment_usd)
                now = uses[0 if terms.cap_basis is CapBasis.REFUND else 1]
                assert before + now <= terms.cap_usd

    def recounted(self) -> None:
        """Counters, quotas, cap and ledger accounts are what a naive reader of events counts."""
        terms = self.s.terms.at(self.s.now)
        for self.s.account in ACCOUNTS:
            recount, account = self.recounts[self.s.account], self.s.the_account()
            recount.never_more_than_paid()
            full = recount.spent(RefundRule.FIVE_DAYS_NO_REASON)
            ordinary = recount.spent(RefundRule.ORDINARY_RETURN)
            market = recount.spent(RefundRule.MARKETPLACE_REVIEW)
            assert account.full_refunds_used == full <= terms.full_refunds_per_account
            assert account.ordinary_returns_used == ordinary <= terms.ordinary_returns_per_account
            assert account.marketplace_refunds_issued == market
            assert account.marketplace_refunds_pending == recount.pending() >= 0
            assert [
                (one.refund_id, one.counted_at, one.refund_usd, one.cancelled_commitment_usd)
                for one in self.s.cap_entries()
            ] == recount.counted()
            self._owed(recount, account)

    def _owed(self, recount: Recount, account: Account) -> None:
        """What is owed, on its way and held is what stands on the ledger's own accounts."""
        refunds = dict(self.all(Refund))
        assert refunds.keys() == recount.refunds.keys()
        by_status: dict[RefundStatus, int] = defaultdict(int)
        for refund_id, one in recount.refunds.items():
            status = refunds[refund_id].status
            assert (status is RefundStatus.CORRECTED) is one.corrected
            by_status[status] += one.amount
        stands = recount.accounts
        owed = by_status[RefundStatus.ISSUED] + by_status[RefundStatus.HELD]
        assert -stands["refund_payable"] == owed
        assert -stands["card_transit"] == by_status[RefundStatus.SETTLING]
        held = sum(credit.left for credit in self.s.held_credits()) - account.credit_overdrawn
        assert -stands["held_credit"] == held
        assert stands["customer_receivable"] == recount.overpaid
        paid = sum(one.amount * len(one.payments) for one in recount.refunds.values())
        reversed_too = sum(
            one.amount * one.reversed for one in recount.refunds.values() if one.corrected
        )
        assert -stands["gateway"] == paid - reversed_too
        assert sum(stands.values()) == 0

    def told_again(self) -> None:
        """The same commands to a new ledger: the same decisions, events and state; folding alone
        gives that state too.
        """
        other = Scenario(terms=self.s.terms)
        for account, account_type in ACCOUNTS.items():
            other.account = account
            other.opened(account_type, self.currencies[account])
        for one, outcome in zip(self.given, self.outcomes, strict=True):
            other.account, other.now = one.account, one.at
            assert outcome == other.give(
                one.command, role=one.role, actor_id=one.actor_id, id=one.id
            )
        assert other.recorded == self.s.recorded
        assert other.state.entities() == self.s.state.entities()
        assert self.s.folded().entities() == self.s.state.entities()

"""A story told to the pure core: commands in, events out, over `decide`, `evolve` and a state.

s = Scenario()
s.at("2026-01-05T08:00:00Z").opened()
s.give(order("o-1", line("i-1")), id="c-1")
s.given(...).when(ReturnInstance(...)).then(InstanceIsolated(...), RefundIssued(...))
"""

from __future__ import annotations

from typing import Self

from msgspec.structs import replace

from ledger.calculations.figures import CapRoom
from ledger.calculations.refund_cap import cap_room
from ledger.decide import Duplicate, Fact, decide
from ledger.state import MemoryState, evolve
from ledger.state.account_entities import CapBlock, CapEntry, HeldCredit
from ledger.state.entities import Account, Stream
from ledger.state.held_credits import open_credits
from ledger.terms.table import Terms, TermsTable, released_terms
from ledger.values.ids import derived_id
from ledger.values.instants import Instant, parse_instant
from ledger.values.refusal import Code
from ledger.vocabulary.commands import ROLES, Command, OpenAccount
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import (
    NEWEST_EDITION,
    ZERO_HASH,
    CommandMeta,
    EventMeta,
    GivenCommand,
    RecordedEvent,
)
from ledger.vocabulary.events import CommandRefused, Event
from ledger.vocabulary.shapes import AccountType, Actor, Role

START = "2026-01-05T08:00:00Z"
_PREFERRED = (Role.BILLING, Role.SYSTEM, Role.OWNER, Role.BUYER, Role.VENDOR, Role.SUPPORT)


class Scenario:
    """One account's story. Every command is decided at `now`, recorded, and folded at once."""

    def __init__(
        self, account: str = "acct-1", *, at: str | Instant = START, terms: TermsTable | None = None
    ) -> None:
        self.account = account
        self.now: Instant = parse_instant(at) if isinstance(at, str) else at
        self.terms = released_terms() if terms is None else terms
        self.edition = NEWEST_EDITION
        self.state = MemoryState()
        self.recorded: list[RecordedEvent] = []
        self.outcome: tuple[Event, ...] = ()
        self.facts: tuple[Fact, ...] = ()
        self._commands = 0
        self._last: GivenCommand | None = None

    def at(self, when: str | Instant) -> Self:
        """Moves the clock, to a text or to micros; back too, as a bad clock would."""
        self.now = parse_instant(when) if isinstance(when, str) else when
        return self

    def later(self, micros: int) -> Self:
        """Moves the clock on."""
        self.now += micros
        return self

    def opened(
        self,
        account_type: AccountType = AccountType.ONLINE,
        currency: str = "CNY",
        *,
        us_government: bool = False,
    ) -> Self:
        """The account is open."""
        self.give(
            OpenAccount(account_type=account_type, us_government=us_government, currency=currency)
        )
        return self

    def give(
        self,
        command: Command,
        *,
        role: Role | None = None,
        actor_id: str = "u-1",
        id: str | None = None,  # noqa: A002 - reads as the story does
    ) -> tuple[Event, ...]:
        """Decides a command; the bodies recorded, or () for a duplicate.

        Without `role` it is the first that may give the command; without `id` a new one.
        """
        return self._decided(self.command(command, role=role, actor_id=actor_id, id=id))

    def again(self) -> Self:
        """The last command is delivered once more as it was, to be decided now."""
        assert self._last is not None
        self._decided(self._last)
        return self

    def _decided(self, given: GivenCommand) -> tuple[Event, ...]:
        self._last = given
        digest = command_digest(given)
        terms = self.terms.at(self.now)
        decision = decide(
            given, digest, state=self.state, now=self.now, terms=terms, edition=self.edition
        )
        self.facts = () if isinstance(decision, Duplicate) else decision
        for index, fact in enumerate(self.facts):
            self._record(given.meta, digest, fact, index, len(self.facts))
        self.outcome = tuple(fact.body for fact in self.facts)
        return self.outcome

    def command(
        self,
        command: Command,
        *,
        role: Role | None = None,
        actor_id: str = "u-1",
        id: str | None = None,  # noqa: A002 - reads as the story does
    ) -> GivenCommand:
        """The command in its envelope."""
        self._commands += 1
        command_id = f"auto-{self._commands}" if id is None else id
        actor = Actor(id=actor_id, role=role_for(command) if role is None else role)
        meta = CommandMeta(command_id=command_id, account_id=self.account, actor=actor)
        return GivenCommand(meta=meta, body=command)

    def given(self, *bodies: Event) -> Self:
        """These events happened, whatever the rules say of them."""
        for body in bodies:
            self._commands += 1
            actor = Actor(id="u-0", role=Role.BILLING)
            meta = CommandMeta(
                command_id=f"given-{self._commands}", account_id=self.account, actor=actor
            )
            digest = derived_id(meta.command_id).encode()[:32]
            self._record(meta, digest, Fact(body=body, occurred_at=self.now), 0, 1)
        return self

    def when(
        self,
        command: Command,
        *,
        role: Role | None = None,
        actor_id: str = "u-1",
        id: str | None = None,  # noqa: A002 - reads as the story does
    ) -> Self:
        """As `give`, to be followed by `then` or `refused`."""
        self.give(command, role=role, actor_id=actor_id, id=id)
        return self

    def then(self, *expected: Event) -> Self:
        """Exactly these events came of it, whole; none at all for a redelivery."""
        assert self.outcome == expected, f"\n got {self.outcome}\n not {expected}"
        return self

    def refused(self, *codes: Code) -> CommandRefused:
        """It was refused for these codes, in this order; the refusal, to look at its figures."""
        assert len(self.outcome) == 1, f"not refused: {self.outcome}"
        refusal = self.outcome[0]
        assert isinstance(refusal, CommandRefused), f"not refused: {self.outcome}"
        got = tuple(violation.code for violation in refusal.violations)
        assert got == codes, f"refused for {got}, not for {codes}: {refusal.violations}"
        return refusal

    def derived(self, noun: str, index: int = 0) -> str:
        """The id that the last command gave to what it brought into being."""
        assert self._last is not None
        digest, meta = command_digest(self._last), self._last.meta
        return derived_id(meta.account_id, meta.command_id, digest.hex(), noun, str(index))

    def the_account(self) -> Account:
        """The account as it is now."""
        account = self.state.find(Account, self.account, "")
        assert account is not None
        return account

    def cap_entries(self) -> list[CapEntry]:
        """What counts against the account's cap, of whatever age, oldest first."""
        blocks = {
            int(key.entity_id): entity
            for key, entity in self.state.entities().items()
            if isinstance(entity, CapBlock) and key.account_id == self.account
        }
        return [entry for number in sorted(blocks) for entry in blocks[number].entries]

    def held_credits(self) -> tuple[HeldCredit, ...]:
        """The account's credits with something left, the oldest first."""
        return tuple(open_credits(self.state, self.account))

    def cap_room(self, now: Instant | None = None, terms: Terms | None = None) -> CapRoom:
        """What is left of the account's cap; now, by the terms in force, where nothing is said."""
        now = self.now if now is None else now
        return cap_room(
            self.state, self.account, now, self.terms.at(now) if terms is None else terms
        )

    def folded(self) -> MemoryState:
        """The same history, folded from nothing."""
        state = MemoryState()
        for event in self.recorded:
            state.apply(evolve(state, event))
        return state

    def _record(
        self, given: CommandMeta, digest: bytes, fact: Fact, index: int, count: int
    ) -> None:
        stream = self.state.find(Stream, self.account, "")
        offset = self.recorded[-1].meta.source_offset if self.recorded else -1
        meta = EventMeta(
            event_id=derived_id(self.account, given.command_id, digest.hex(), str(index)),
            account_id=self.account,
            sequence=1 if stream is None else stream.sequence + 1,
            source_partition=0,
            source_offset=offset if index else offset + 1,
            index=index,
            count=count,
            log_sequence=len(self.recorded) + 1,
            prev_hash=ZERO_HASH,
            recorded_at=self.now,
            occurred_at=fact.occurred_at,
            causation_id=given.command_id,
            command_digest=digest,
            correlation_id=given.correlation_id or given.command_id,
            actor=given.actor,
            terms=self.terms.at(self.now).version,
            edition=self.edition,
        )
        event = RecordedEvent(meta=meta, body=fact.body)
        self.recorded.append(event)
        self.state.apply(evolve(self.state, event))


def role_for(command: Command) -> Role:
    """A role that may give the command."""
    return next(role for role in _PREFERRED if role in ROLES[type(command)])


def with_terms(table: TermsTable, **changes: object) -> TermsTable:
    """The table with numbers changed in every version: for limits too high to be reached."""
    return TermsTable(versions=tuple(replace(each, **changes) for each in table.versions))

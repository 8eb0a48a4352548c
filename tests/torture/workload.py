"""The commands of a cell: three systems mixed, with refusals, redeliveries and junk, by seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ledger.log.seam import Outgoing
from ledger.values.instants import DAY, SECOND, Instant, parse_day
from ledger.vocabulary.commands import (
    ChangeCard,
    Command,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    QuoteReservationRefund,
    RecordMarketplacePurchase,
    RefundMarketplaceManually,
    RefundReservation,
    ReturnInstance,
    SetAccountStanding,
)
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.shapes import AccountType, ProductKind, Role
from tests.bodies import line, order, paid, postpaid
from tests.consumers.deadlines.test_schedule import reservation
from tests.consumers.ledgers import given, record

ACCOUNTS = 21
WAVE = 50
DUPLICATE_SHARE = 0.3
JUNK = b"\xc3\x01junk"
START = 1_767_600_000_000_000


class Workload(Struct, frozen=True, kw_only=True):
    """What is published, wave after wave; `duplicates` of them are redeliveries."""

    waves: tuple[tuple[Outgoing, ...], ...]
    accounts: frozenset[str]
    duplicates: int
    last_due: Instant

    @property
    def commands(self) -> int:
        """How many records are published, if none has to be sent again."""
        return sum(map(len, self.waves))


def workload(
    name: str, seed: int, partitions: int, now: Instant, *, commands: int = 1_000, timers: int = 12
) -> Workload:
    """About `commands` records on accounts of the cell's own.

    `timers` of the instances end within seconds of `now`, so that deadlines come due meanwhile.
    """
    chance = random.Random(seed)
    stories = [_Story(name, number, chance) for number in range(ACCOUNTS)]
    distinct = round(commands * (1 - DUPLICATE_SHARE)) - ACCOUNTS - timers
    opening = [record(story.opened(), partitions) for story in stories]
    records = [record(chance.choice(stories).next(), partitions) for _ in range(distinct)]
    ends = [now + SECOND + chance.randrange(5 * SECOND) for _ in range(timers)]
    for end in ends:
        short = record(chance.choice(stories[::3]).short_lived(end), partitions)
        records.insert(chance.randrange(len(records) // 2), short)
    _spoil(records, chance, partitions)
    records = [*opening, *records]
    duplicates = max(0, commands - len(records))
    for _ in range(duplicates):
        first = chance.randrange(len(records))
        records.insert(chance.randrange(first, len(records)) + 1, records[first])
    waves = [tuple(records[start : start + WAVE]) for start in range(0, len(records), WAVE)]
    return Workload(
        waves=tuple(waves),
        accounts=frozenset(story.account for story in stories),
        duplicates=duplicates,
        last_due=max(ends, default=now),
    )


def _spoil(records: list[Outgoing], chance: random.Random, partitions: int) -> None:
    """Some that are no command of ours, and some on a partition that is not their account's."""
    for place in chance.sample(range(len(records)), 8):
        records[place] = replace(records[place], value=JUNK)
    for place in chance.sample(range(len(records)), 4):
        there = records[place]
        records[place] = replace(there, partition=(there.partition + 1) % partitions)


Step = tuple[Command, Role]


class _Story:
    """One account of one of the three systems, and what may come next for it."""

    def __init__(self, name: str, number: int, chance: random.Random) -> None:
        self.account = f"{name}-{number}"
        self._chance = chance
        self._count = 0
        self._things = ["none"]
        self._type = (AccountType.ONLINE, AccountType.ONLINE, AccountType.CSP)[number % 3]
        own: tuple[Callable[[str], Step], ...] = (
            (_postpaid, self._order, self._order, self._quote, self._return),
            (self._purchase, self._purchase, self._by_ticket, self._by_ticket),
            (_term, self._reserve, self._reserve, self._give_back, self._give_back, self._value),
        )[number % 3]
        self._steps = (*own, *own, _standing, _card)

    def opened(self) -> GivenCommand:
        body = OpenAccount(account_type=self._type, us_government=False, currency="USD")
        return given(f"open-{self.account}", body, account=self.account)

    def next(self) -> GivenCommand:
        """A step; now and then under the id of the last one, with other content."""
        self._count += self._chance.random() > 0.02
        command_id = f"{self.account}-{self._count}"
        body, role = self._chance.choice(self._steps)(command_id)
        return given(command_id, body, account=self.account, role=role)

    def short_lived(self, ends_at: Instant) -> GivenCommand:
        """An instance that is soon over."""
        self._count += 1
        command_id = f"{self.account}-{self._count}"
        return given(command_id, _ordered(command_id, ends_at), account=self.account)

    def _thing(self, new: str) -> str:
        self._things.append(new)
        return new

    def _some(self) -> str:
        return self._chance.choice(self._things[-4:])

    def _order(self, new: str) -> Step:
        return _ordered(self._thing(new), START + 3_650 * DAY), Role.BILLING

    def _quote(self, _new: str) -> Step:
        return QuoteInstanceReturn(instance_id=self._some()), Role.OWNER

    def _return(self, _new: str) -> Step:
        return ReturnInstance(instance_id=self._some(), acknowledged=True), Role.SUPPORT

    def _purchase(self, new: str) -> Step:
        bought = RecordMarketplacePurchase(
            purchase_id=self._thing(new),
            product_kind=ProductKind.SAAS,
            vendor_id="v-1",
            buyer_id="u-1",
            paid=paid(20_000, 9_999),
            purchased_at=START,
            currency="USD",
        )
        return bought, Role.BILLING

    def _by_ticket(self, new: str) -> Step:
        refund = RefundMarketplaceManually(
            purchase_id=self._some(), ticket=f"t-{new}", amount=10_000, currency="USD"
        )
        return refund, Role.SUPPORT

    def _reserve(self, new: str) -> Step:
        return reservation(self._thing(new)), Role.BILLING

    def _give_back(self, _new: str) -> Step:
        back = RefundReservation(
            reservation_id=self._some(), quantity=1, usd_rate="1", acknowledged=True
        )
        return back, Role.SUPPORT

    def _value(self, _new: str) -> Step:
        quote = QuoteReservationRefund(reservation_id=self._some(), quantity=1, usd_rate="1")
        return quote, Role.SUPPORT


def _ordered(name: str, ends_at: Instant) -> Command:
    return replace(order(f"o-{name}", line(name), starts_at=START, ends_at=ends_at), currency="USD")


def _postpaid(new: str) -> Step:
    return postpaid(new), Role.BILLING


def _term(new: str) -> Step:
    term = OpenCommitmentTerm(
        term_id=new,
        starts_on=parse_day("2026-01-01"),
        ends_on=parse_day("2027-01-01"),
        amount=1_000_000,
        currency="USD",
    )
    return term, Role.BILLING


def _standing(new: str) -> Step:
    return SetAccountStanding(in_arrears=new.endswith("7")), Role.BILLING


def _card(new: str) -> Step:
    return ChangeCard(card_id=f"card-{new}"), Role.BILLING

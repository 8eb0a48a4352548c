"""Small ledgers made in memory by the real decider and reactions, with a bit of everything."""

from __future__ import annotations

from consumers.deciding.decider import GROUP, PartitionDecider, World
from consumers.deciding.store import Store
from consumers.follow_ups import command_record
from consumers.reacting.reactor import GROUP as REACTIONS
from consumers.reacting.reactor import PartitionReactor
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Outgoing, Topic
from ledger.terms.table import TermsTable, released_terms
from ledger.values.ids import partition_of
from ledger.values.instants import DAY, HOUR, MINUTE, Instant, parse_day, parse_instant
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    ExchangeReservations,
    OpenAccount,
    OpenCommitmentTerm,
    RecordReservationPurchase,
    RefundReservation,
    RestoreInstance,
)
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.events import LedgerOpened
from ledger.vocabulary.shapes import (
    AccountType,
    Actor,
    BillingPlan,
    NewReservation,
    Payment,
    PaymentMethod,
    ReservationReturn,
    Role,
)
from ledger.wire.avro.codec import encode_command
from tests.bodies import line, order, paid, renewal, returning
from tests.ledger.audit.recorded import RecordedLog
from tests.ledger.rules.marketplace.stories import application, purchase, ticket

START = parse_instant("2026-01-05T08:00:00Z")
ONLINE, ENTERPRISE = "acct-1", "acct-2"
BILLING = Actor(id="billing", role=Role.BILLING)
SUPPORT = Actor(id="s-1", role=Role.SUPPORT)
BUYER = Actor(id="u-1", role=Role.BUYER)
VENDOR = Actor(id="v-1", role=Role.VENDOR)
PARTITIONS = 2


class MemoryLedger:
    """Deciders and reactors of all partitions over a log in memory, on the broker's time."""

    def __init__(self, terms: TermsTable | None = None) -> None:
        self.now: Instant = START
        self.cluster = MemoryCluster(PARTITIONS, lambda: self.now)
        opened = LedgerOpened(
            partition_count=PARTITIONS,
            topic_ids={topic.value: f"id of {topic.value}" for topic in Topic},
            sandbox=False,
            program_version="0",
        )
        world = World(opened=opened, terms=terms or released_terms())
        deciding = self.cluster.consumer(GROUP, Topic.COMMANDS)
        reacting = self.cluster.consumer(REACTIONS, Topic.EVENTS)
        self._steppers: list[PartitionDecider | PartitionReactor] = []
        for partition in range(PARTITIONS):
            store = Store(None, partition, world.events_topic_id)
            self._steppers.append(PartitionDecider(deciding, partition, store, world))
            self._steppers.append(PartitionReactor(reacting, partition, sandbox=False))
        for each in self._steppers:
            each.restore()

    def give(self, account: str, command_id: str, actor: Actor, body: Command) -> None:
        """Send a command, and settle."""
        meta = CommandMeta(command_id=command_id, account_id=account, actor=actor)
        self.send(command_record(GivenCommand(meta=meta, body=body), PARTITIONS))

    def send(self, record: Outgoing) -> None:
        """Send a record a minute later, and let everybody work until nothing is left to do."""
        self.now += MINUTE
        self.cluster.publish([record])
        while sum(each.step(0) for each in self._steppers):
            self.now += 1

    def garbage(self, account: str) -> None:
        """Send what is no command."""
        key = account.encode()
        home = partition_of(key, PARTITIONS)
        headers = (("traceparent", b"00-1"),)
        self.send(
            Outgoing(
                topic=Topic.COMMANDS, partition=home, key=key, value=b"rubbish", headers=headers
            )
        )

    def recorded(self) -> RecordedLog:
        """All of it, to be audited."""
        return RecordedLog(self.cluster, GROUP)


def everything(terms: TermsTable | None = None) -> RecordedLog:
    """An ONLINE and an EA account, on a partition each: returns, restores, marketplace refunds,
    reservations given back and exchanged, refusals, redeliveries, a reused id and dead letters.
    """
    ledger = MemoryLedger(terms)
    _instances(ledger)
    _marketplace(ledger)
    _reservations(ledger)
    return ledger.recorded()


def _instances(ledger: MemoryLedger) -> None:
    give = ledger.give
    online = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
    give(ONLINE, "open", BILLING, online)
    first = order("o-1", line("i-1", paid(20_000, 20_796, 10_000)), starts_at=START)
    give(ONLINE, "order-1", BILLING, first)
    give(ONLINE, "order-2", BILLING, order("o-2", line("i-2"), starts_at=START))
    give(ONLINE, "return-1", SUPPORT, returning("i-1"))
    give(ONLINE, "return-1", SUPPORT, returning("i-1"))
    give(ONLINE, "return-1", SUPPORT, returning("i-2"))
    ledger.garbage(ONLINE)
    ledger.now += HOUR
    again = renewal("o-3", line("i-1", paid(5_000, 0)), starts_at=ledger.now)
    give(ONLINE, "order-3", BILLING, again)
    give(ONLINE, "restore", SUPPORT, RestoreInstance(instance_id="i-1", renewal_order_id="o-3"))
    ledger.now += DAY
    give(ONLINE, "return-again", SUPPORT, returning("i-1"))
    give(ONLINE, "return-2", SUPPORT, returning("i-2"))
    give(ONLINE, "return-3", SUPPORT, returning("i-9"))


def _marketplace(ledger: MemoryLedger) -> None:
    give = ledger.give
    bought = ledger.now
    for number in (1, 2):
        give(ONLINE, f"buy-{number}", BILLING, purchase(f"p-{number}", at=bought))
    give(ONLINE, "apply", BUYER, application("p-1"))
    give(ONLINE, "approve", VENDOR, ApproveMarketplaceRefund(purchase_id="p-1"))
    give(ONLINE, "ticket-1", SUPPORT, ticket(10_001, "p-2"))
    give(ONLINE, "ticket-2", SUPPORT, ticket(19_999, "p-2"))


def _reservations(ledger: MemoryLedger) -> None:
    give = ledger.give
    opened = OpenAccount(account_type=AccountType.EA, us_government=False, currency="USD")
    give(ENTERPRISE, "open", BILLING, opened)
    first, last = parse_day("2026-01-01"), parse_day("2027-01-01")
    term = OpenCommitmentTerm(
        term_id="t-1", starts_on=first, ends_on=last, amount=10_000_000, currency="USD"
    )
    give(ENTERPRISE, "term", BILLING, term)
    today = parse_day("2026-01-06")
    for name, plan in (("r-1", BillingPlan.MONTHLY), ("r-2", BillingPlan.UPFRONT)):
        bought = RecordReservationPurchase(
            reservation_id=name,
            product_type="VirtualMachines",
            sku="Standard_F1",
            region="eastus",
            quantity=3,
            term_months=12,
            starts_on=today,
            total=120_001,
            billing_plan=plan,
            payment=Payment(method=PaymentMethod.COMMITMENT, term_id="t-1"),
            owners=("u-1",),
            currency="USD",
        )
        give(ENTERPRISE, f"buy-{name}", BILLING, bought)
    for number in (1, 2):
        ledger.now += DAY
        for name in ("r-1", "r-2"):
            back = RefundReservation(
                reservation_id=name, quantity=1, usd_rate="1", acknowledged=True
            )
            give(ENTERPRISE, f"back-{name}-{number}", SUPPORT, back)
    new = NewReservation(
        reservation_id="r-3",
        product_type="VirtualMachines",
        sku="Standard_F1",
        region="eastus",
        quantity=1,
        term_months=36,
        total=400_000,
        billing_plan=BillingPlan.UPFRONT,
        payment=Payment(method=PaymentMethod.COMMITMENT, term_id="t-1"),
    )
    exchange = ExchangeReservations(
        returns=(ReservationReturn(reservation_id="r-1"), ReservationReturn(reservation_id="r-2")),
        purchases=(new,),
        acknowledged=True,
        currency="USD",
    )
    give(ENTERPRISE, "exchange", SUPPORT, exchange)
    last_back = RefundReservation(reservation_id="r-3", usd_rate="1", acknowledged=True)
    give(ENTERPRISE, "back-r-3", SUPPORT, last_back)


def value_of(account: str, command_id: str, body: Command, actor: Actor = SUPPORT) -> bytes:
    """The record value of a command, to put in the place of another."""
    meta = CommandMeta(command_id=command_id, account_id=account, actor=actor)
    return encode_command(GivenCommand(meta=meta, body=body))

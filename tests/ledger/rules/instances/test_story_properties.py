"""Whatever is done to instances in whatever order: money is conserved and nothing raises."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from ledger.state import evolve
from ledger.state.entities import Instance, InstanceStatus, Refund, RefundStatus
from ledger.terms.table import released_terms
from ledger.values.instants import DAY, MINUTE
from ledger.vocabulary.commands import (
    ChangeCard,
    Command,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    RecordInstanceOrder,
    RestoreInstance,
    ReturnInstance,
    SetAccountStanding,
    SettleRefund,
    StartPostpaidInstance,
    TakeInstanceOffline,
)
from ledger.vocabulary.events import (
    BalanceCredited,
    CommandRefused,
    InstanceDestroyed,
    InstanceIsolated,
    InstanceOrderRecorded,
    InstanceReturnQuoted,
    RefundIssued,
)
from ledger.vocabulary.shapes import AccountType, Channel, OrderKind, OrderLine, RefundRule, Role
from tests.ledger.rules.instances.generated import (
    LINES,
    PICK,
    ROLES,
    SOME_LINES,
    WAIT,
    adds_up,
    balanced,
)
from tests.scenario import Scenario, with_terms

FEW = with_terms(released_terms(), full_refunds_per_account=1, ordinary_returns_per_account=3)


class InstanceStory(RuleBasedStateMachine):
    """One ONLINE account: orders, returns, the bin, timers, settlement, and nonsense among it."""

    def __init__(self) -> None:
        super().__init__()
        self.s = Scenario(terms=FEW)
        self.paid: Counter[tuple[str, str]] = Counter()
        self.given: list[tuple[Command, Role, str]] = []
        self.checked = 0
        self.named = 0

    @initialize(currency=st.sampled_from(["CNY", "JPY", "KWD"]), lines=SOME_LINES)
    def open(self, currency: str, lines: list[OrderLine]) -> None:
        """The account, and a first order."""
        self.s.opened(currency=currency)
        self.currency = currency
        self.buy(1, lines, 0, 100 * DAY, None, Channel.STANDARD)

    def give(self, command: Command, role: Role) -> None:
        """Remembers what was given, so that it can be given again."""
        command_id = f"c-{len(self.given)}"
        self.given.append((command, role, command_id))
        self.s.give(command, role=role, id=command_id)

    def known(self, instance_id: str) -> Instance | None:
        """The instance, if there is one."""
        return self.s.state.find(Instance, self.s.account, instance_id)

    def some(self, pick: int, *, status: InstanceStatus | None = None) -> str:
        """One of the instances there are, mostly one of that status."""
        there = [found for found in self.s.state.entities().values() if isinstance(found, Instance)]
        if pick % 5:
            there = [found for found in there if status in {None, found.status}] or there
        return there[pick % len(there)].instance_id if pick else "i-404"

    def fresh(self, noun: str, pick: int) -> str:
        """An id not used before, or the first one again."""
        self.named += pick > 0
        return f"{noun}-{self.named if pick else 1}"

    @rule(wait=WAIT)
    def wait(self, wait: int) -> None:
        """Time passes."""
        self.s.later(wait)

    @rule(
        pick=PICK,
        lines=SOME_LINES,
        late=st.integers(-DAY, 10 * DAY),
        length=st.integers(1, 200 * DAY),
        delivered=st.one_of(st.none(), st.integers(-2 * DAY, 2 * DAY)),
        channel=st.sampled_from(list(Channel)),
    )
    def buy(
        self,
        pick: int,
        lines: list[OrderLine],
        late: int,
        length: int,
        delivered: int | None,
        channel: Channel,
    ) -> None:
        """A new order, in the past or to come."""
        start = self.s.now - late
        command = RecordInstanceOrder(
            order_id=self.fresh("o", pick),
            kind=OrderKind.NEW,
            channel=channel,
            starts_at=start,
            ends_at=start + length,
            delivered_at=None if delivered is None else min(start + delivered, start + length - 1),
            lines=tuple(
                replace(line, instance_id=self.fresh("i", max(pick, place)))
                for place, line in enumerate(lines)
            ),
            currency=self.currency,
        )
        self.give(command, Role.BILLING)

    @rule(
        pick=PICK,
        line=LINES,
        off=st.sampled_from([0, 0, 0, 0, 1, -1]),
        length=st.integers(1, 100 * DAY),
        channel=st.sampled_from(list(Channel)),
    )
    def renew(self, pick: int, line: OrderLine, off: int, length: int, channel: Channel) -> None:
        """A renewal that mostly fits."""
        status = InstanceStatus.ISOLATED if pick % 2 else InstanceStatus.RUNNING
        line = replace(line, instance_id=self.some(pick, status=status))
        found = self.known(line.instance_id)
        start = self.s.now if found is None or not found.orders else found.orders[-1].ends_at
        command = RecordInstanceOrder(
            order_id=self.fresh("o", pick),
            kind=OrderKind.RENEWAL,
            channel=channel,
            starts_at=start + off,
            ends_at=start + off + length,
            lines=(line,),
            currency=self.currency,
        )
        self.give(command, Role.BILLING)

    @rule(pick=PICK)
    def start_postpaid(self, pick: int) -> None:
        """An instance paid by use."""
        new = self.fresh("i", pick)
        self.give(StartPostpaidInstance(instance_id=new, product="cvm", region="gz"), Role.BILLING)

    @rule(pick=PICK, role=ROLES, wait=st.sampled_from([0, 0, MINUTE, 16 * MINUTE]))
    def quote_and_return(self, pick: int, role: Role, wait: int) -> None:
        """A quote, acted on; at the same instant the act gives what the quote said."""
        instance_id = self.some(pick, status=InstanceStatus.RUNNING)
        self.give(QuoteInstanceReturn(instance_id=instance_id), role)
        quote = self.s.outcome[0]
        if not isinstance(quote, InstanceReturnQuoted):
            return
        self.s.later(wait)
        command = ReturnInstance(
            instance_id=instance_id,
            quote_id=quote.quote_id,
            acknowledged=True,
            confirmed_amount=quote.amount,
            currency=self.currency,
        )
        self.give(command, role)
        if wait:
            return
        if quote.violations:
            (refused,) = self.s.outcome
            assert isinstance(refused, CommandRefused)
            assert refused.violations == quote.violations
            return
        refund = self.s.outcome[1]
        assert isinstance(refund, RefundIssued)
        for field in ("rule", "gross", "fee", "amount", "parts", "working"):
            assert getattr(refund, field) == getattr(quote, field)

    @rule(pick=PICK)
    def support_returns(self, pick: int) -> None:
        """A return without a quote."""
        instance_id = self.some(pick, status=InstanceStatus.RUNNING)
        command = ReturnInstance(instance_id=instance_id, acknowledged=True)
        self.give(command, Role.SUPPORT)

    @rule(pick=PICK, acknowledged=st.booleans())
    def destroy(self, pick: int, *, acknowledged: bool) -> None:
        """Into the bin."""
        instance_id = self.some(pick)
        command = DestroyPostpaidInstance(instance_id=instance_id, acknowledged=acknowledged)
        self.give(command, Role.OWNER)

    @rule(pick=PICK, named=st.sampled_from(["first", "last", "o-1", None]))
    def restore(self, pick: int, named: str | None) -> None:
        """Out of the bin, mostly with the order that will do."""
        instance_id = self.some(pick, status=InstanceStatus.ISOLATED)
        found = self.known(instance_id)
        if found is not None and found.orders and named in {"first", "last"}:
            named = found.orders[0 if named == "first" else -1].order_id
        command = RestoreInstance(instance_id=instance_id, renewal_order_id=named)
        self.give(command, Role.OWNER)

    @rule(pick=PICK, line=LINES, length=st.integers(1, 100 * DAY), late=WAIT)
    def renew_and_restore(self, pick: int, line: OrderLine, length: int, late: int) -> None:
        """A renewal in the bin, and the restore that names it, maybe too late."""
        self.renew(pick * 2 + 1, line, 0, length, Channel.STANDARD)
        named, recorded = f"o-{self.named}", self.s.outcome[0]
        instance_id = self.some(pick)
        if isinstance(recorded, InstanceOrderRecorded):
            instance_id = recorded.lines[0].instance_id
        self.s.later(late)
        command = RestoreInstance(instance_id=instance_id, renewal_order_id=named)
        self.give(command, Role.OWNER)

    @rule(pick=PICK)
    def take_offline(self, pick: int) -> None:
        """Destroyed at once."""
        instance_id = self.some(pick, status=InstanceStatus.ISOLATED)
        self.give(TakeInstanceOffline(instance_id=instance_id), Role.OWNER)

    @rule(pick=PICK, late=st.integers(-1, 2 * DAY))
    def expiry_timer(self, pick: int, late: int) -> None:
        """The timer of the last order wakes: a little early, in time, or late."""
        instance_id = self.some(pick)
        found = self.known(instance_id)
        if found is None or not found.orders:
            return
        last = found.orders[-1]
        self.s.now = max(self.s.now, last.ends_at + late)
        self.give(ExpireInstance(instance_id=instance_id, order_id=last.order_id), Role.SYSTEM)

    @rule(pick=PICK, late=st.integers(-1, DAY))
    def retention_timer(self, pick: int, late: int) -> None:
        """The timer of the current isolation wakes."""
        instance_id = self.some(pick, status=InstanceStatus.ISOLATED)
        found = self.known(instance_id)
        if found is None or found.isolation is None:
            return
        self.s.now = max(self.s.now, found.isolation.restore_until + late)
        isolation_id = found.isolation.isolation_id
        command = DestroyIsolatedInstance(instance_id=instance_id, isolation_id=isolation_id)
        self.give(command, Role.SYSTEM)

    @rule(data=st.data())
    def old_timer(self, data: st.DataObject) -> None:
        """The timer of any isolation there ever was."""
        bodies = [event.body for event in self.s.recorded]
        isolations = [body for body in bodies if isinstance(body, InstanceIsolated)]
        if isolations:
            old = data.draw(st.sampled_from(isolations))
            command = DestroyIsolatedInstance(
                instance_id=old.instance_id, isolation_id=old.isolation_id
            )
            self.give(command, Role.SYSTEM)

    @rule(data=st.data(), role=st.sampled_from([Role.SYSTEM, Role.SUPPORT]))
    def settle(self, data: st.DataObject, role: Role) -> None:
        """Any refund's follow-up."""
        bodies = [event.body for event in self.s.recorded]
        refunds = [body.refund_id for body in bodies if isinstance(body, RefundIssued)]
        refund_id = data.draw(st.sampled_from([*refunds, "r-404"]))
        self.give(SettleRefund(refund_id=refund_id), role)

    @rule(in_arrears=st.booleans())
    def standing(self, *, in_arrears: bool) -> None:
        """Arrears come and go."""
        self.give(SetAccountStanding(in_arrears=in_arrears), Role.BILLING)

    @rule(
        command=st.sampled_from(
            [
                OpenAccount(account_type=AccountType.EA, us_government=True, currency="USD"),
                OpenCommitmentTerm(term_id="t", starts_on=0, ends_on=9, amount=1, currency="CNY"),
                ChangeCard(card_id="k-1"),
                ReturnInstance(
                    instance_id="i-2",
                    quote_id="q-404",
                    acknowledged=False,
                    confirmed_amount=1,
                    currency="EUR",
                ),
                ReturnInstance(instance_id="i-3", acknowledged=False),
                ExpireInstance(instance_id="i-2", order_id="o-1"),
            ]
        ),
        role=st.sampled_from(list(Role)),
    )
    def nonsense(self, command: Command, role: Role) -> None:
        """Anything by anyone."""
        self.give(command, role)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        """A command once more: nothing comes of it."""
        command, role, command_id = data.draw(st.sampled_from(self.given))
        assert self.s.give(command, role=role, id=command_id) == ()

    @invariant()
    def every_new_event_adds_up(self) -> None:
        """Each event balances, and each refund's figures agree with each other."""
        for event in self.s.recorded[self.checked :]:
            assert balanced(getattr(event.body, "postings", ()))
            if isinstance(event.body, InstanceOrderRecorded):
                for line in event.body.lines:
                    self.paid[line.instance_id, "cash"] += line.paid.cash
                    self.paid[line.instance_id, "gift"] += line.paid.gift
            if isinstance(event.body, RefundIssued):
                adds_up(event.body)
        self.checked = len(self.s.recorded)

    @invariant()
    def never_more_is_refunded_than_was_paid(self) -> None:
        """Per instance and fund, over all its orders."""
        refunded: Counter[tuple[str, str]] = Counter()
        for event in self.s.recorded:
            if isinstance(event.body, RefundIssued):
                refunded[event.body.source.id, "cash"] += event.body.parts.cash or 0
                refunded[event.body.source.id, "gift"] += event.body.parts.gift or 0
        assert all(amount <= self.paid[key] for key, amount in refunded.items())

    @invariant()
    def each_order_line_is_refunded_at_most_once(self) -> None:
        """An order's money counts in one refund at most."""
        counted = Counter(
            (event.body.source.id, step.inputs["order"])
            for event in self.s.recorded
            if isinstance(event.body, RefundIssued)
            for step in event.body.working
            if step.step == "paid"
        )
        assert all(times == 1 for times in counted.values())

    def teardown(self) -> None:
        """At the end of the story."""
        if self.s.recorded:
            self.the_quotas_are_recounted()
            self.what_is_credited_was_owed()
            self.what_is_destroyed_stays_destroyed()
            assert self.s.folded().entities() == self.s.state.entities()
            assert isinstance(evolve(self.s.state, self.s.recorded[-1]), list)

    def the_quotas_are_recounted(self) -> None:
        """The account's counters are what a reader of the log would count."""
        spent = Counter(body.rule for body in self.bodies(RefundIssued) if body.quota_spent)
        account = self.s.the_account()
        assert account.full_refunds_used == spent[RefundRule.FIVE_DAYS_NO_REASON] <= 1
        assert account.ordinary_returns_used == spent[RefundRule.ORDINARY_RETURN] <= 3

    def what_is_credited_was_owed(self) -> None:
        """Each refund is credited once, fund by fund, or not yet."""
        issued = {body.refund_id: body for body in self.bodies(RefundIssued)}
        credited = self.bodies(BalanceCredited)
        assert len({body.refund_id for body in credited}) == len(credited)
        for body in credited:
            parts = issued[body.refund_id].parts
            assert (body.cash, body.gift) == (parts.cash, parts.gift)
        for refund_id, body in issued.items():
            kept = self.s.state.find(Refund, self.s.account, refund_id)
            assert kept is not None
            settled = refund_id in {one.refund_id for one in credited} or not body.amount
            assert kept.status is (RefundStatus.SETTLED if settled else RefundStatus.ISSUED)

    def what_is_destroyed_stays_destroyed(self) -> None:
        """Once per instance, and never before its window ended unless by its owner."""
        destroyed = Counter(body.instance_id for body in self.bodies(InstanceDestroyed))
        assert all(times == 1 for times in destroyed.values())

    def bodies(self, kind: type[Any]) -> list[Any]:
        """All events of a kind."""
        return [event.body for event in self.s.recorded if isinstance(event.body, kind)]


TestInstanceStory = InstanceStory.TestCase
TestInstanceStory.settings = settings(
    derandomize="CI" in os.environ,
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
)

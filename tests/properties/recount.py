"""The naive recount: what the events say was paid, refunded, spent and counted, from them alone.

It reads nothing of `ledger.state` and computes with nothing of `ledger.calculations`: sums, and
the number of what was spent less what was given back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ledger.values.instants import DAY, Instant
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    CardRefundRequested,
    GatewayAnswerRecorded,
    InstanceDowngraded,
    InstanceOrderRecorded,
    InstanceUpgraded,
    MarketplacePurchaseRecorded,
    MarketplaceRefundDeclined,
    MarketplaceRefundRequested,
    MarketplaceRefundWithdrawn,
    OpeningPositionRecorded,
    RefundCorrected,
    RefundHeld,
    RefundIssued,
    RefundOverpaid,
    RefundSettled,
    ReservationCancelled,
    ReservationExchanged,
    ReservationPurchased,
)
from ledger.vocabulary.shapes import (
    BillingPlan,
    CapUse,
    Funds,
    GatewayAnswer,
    RefundRule,
    Side,
)


@dataclass(kw_only=True)
class Refunded:
    """One refund as it was issued, or one leg of an exchange; and whether it still counts."""

    of: str
    gross: int
    amount: int
    cash: int = 0
    gift: int = 0
    instalment: int = 0
    rule: RefundRule | None = None
    spent: bool = False
    cap: CapUse | None = None
    at: Instant = 0
    settled: bool = False
    asked: int = 0
    answered: set[int] = field(default_factory=set)
    payments: dict[str, set[int]] = field(default_factory=dict)
    failures: dict[str, set[int]] = field(default_factory=dict)
    reversed: int = 0
    corrected: bool = False
    quota_restored: bool = False
    cap_restored: bool = False
    overpaid: int = 0

    @property
    def under_way(self) -> bool:
        """Has the gateway not answered the last card refund?"""
        return self.asked > 0 and self.asked not in self.answered


@dataclass
class Recount:
    """The events of one account, added up by hand as they come."""

    instances: dict[str, Funds] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    payments: Counter[tuple[str, str]] = field(default_factory=Counter)
    quotes: Counter[str] = field(default_factory=Counter)
    purchases: dict[str, Funds] = field(default_factory=dict)
    reservations: dict[str, tuple[int, int]] = field(default_factory=dict)
    refunds: dict[str, Refunded] = field(default_factory=dict)
    before: list[Refunded] = field(default_factory=list)
    brought: OpeningPositionRecorded | None = None
    held: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    overpaid: int = 0
    applied: int = 0
    given_up: int = 0
    instalment: int = 0

    def add(self, event: RecordedEvent) -> None:
        """Count one event, and check what it says by itself."""
        self._balances(event)
        body = event.body
        if isinstance(body, RefundIssued | ReservationExchanged) and body.quote_id is not None:
            self.quotes[body.quote_id] += 1
        match body:
            case InstanceOrderRecorded() | InstanceUpgraded() | InstanceDowngraded():
                self._instance(body)
            case MarketplacePurchaseRecorded() | ReservationPurchased():
                self._bought(body)
            case OpeningPositionRecorded():
                assert self.brought is None, "brought along twice"
                self.brought = body
            case MarketplaceRefundRequested():
                self.applied += 1
            case MarketplaceRefundWithdrawn() | MarketplaceRefundDeclined():
                self.given_up += 1
            case ReservationCancelled():
                self.instalment = body.instalment
                self.held[body.reservation_id] -= body.quantity
            case ReservationExchanged():
                self._exchanged(body, event.meta.recorded_at)
            case RefundIssued():
                self._issued(body, event.meta.recorded_at)
            case CardRefundRequested():
                self._requested(body)
            case RefundSettled() | RefundHeld() | RefundOverpaid() | GatewayAnswerRecorded():
                self._moved(body)
            case RefundCorrected():
                one = self.refunds[body.refund_id]
                assert not one.corrected, "corrected twice"
                assert not one.under_way, "corrected while a card refund is under way"
                self.overpaid -= one.overpaid
                one.corrected, one.overpaid, one.reversed = True, 0, len(one.payments)
                one.quota_restored, one.cap_restored = body.quota_restored, body.cap_restored
            case _:
                pass

    def _instance(
        self, body: InstanceOrderRecorded | InstanceUpgraded | InstanceDowngraded
    ) -> None:
        match body:
            case InstanceOrderRecorded():
                for line in body.lines:
                    self._paid(line.instance_id, line.paid)
            case InstanceUpgraded():
                self._paid(body.instance_id, body.paid)
            case InstanceDowngraded():
                self.left[body.refund_id] = body.left.cash + body.left.gift

    def _paid(self, instance_id: str, paid: Funds) -> None:
        before = self.instances.get(instance_id, Funds(cash=0, gift=0, voucher=0))
        self.instances[instance_id] = _sum(before, paid)

    def _bought(self, body: MarketplacePurchaseRecorded | ReservationPurchased) -> None:
        if isinstance(body, ReservationPurchased):
            payments = _payments(body.billing_plan, body.term_months)
            self.reservations[body.reservation_id] = (body.total, payments)
            self.held[body.reservation_id] = body.quantity - (body.returned_quantity or 0)
            self._went_back_before(body, payments)
            return
        self.purchases[body.purchase_id] = body.paid
        if body.refunded is not None:
            cash, gift = body.refunded.cash, body.refunded.gift
            amount = cash + gift
            one = Refunded(of=body.purchase_id, gross=amount, amount=amount, cash=cash, gift=gift)
            self.before.append(one)

    def _went_back_before(self, body: ReservationPurchased, payments: int) -> None:
        """Of the payment that ran; what is said beyond it leaves nothing of it."""
        number = body.returned_instalment
        if number is None:
            return
        paid = _up_to(body.total, number, payments) - _up_to(body.total, number - 1, payments)
        gross = min(body.refunded or 0, paid)
        one = Refunded(of=body.reservation_id, gross=gross, amount=gross, instalment=number)
        self.before.append(one)

    def _balances(self, event: RecordedEvent) -> None:
        sums: Counter[int] = Counter()
        for line in getattr(event.body, "postings", ()):
            assert line.amount > 0, event
            signed = line.amount if line.side is Side.DEBIT else -line.amount
            sums[line.transaction] += signed
            self.accounts[line.account] += signed
        assert not any(sums.values()), event

    def _issued(self, body: RefundIssued, at: Instant) -> None:
        parts = [part for part in (body.parts.cash, body.parts.gift, body.parts.original) if part]
        assert min(body.gross, body.fee, body.amount, *parts, 0) == 0, body
        assert body.gross - body.fee == body.amount == sum(parts), body
        for step in body.working:
            noun = {"paid": "order", "upgrade_left": "upgrade"}.get(step.step, "")
            if noun in step.inputs:
                self.payments[body.source.id, f"{noun} {step.inputs[noun]}"] += 1
        assert (body.rule is RefundRule.DOWNGRADE) is (body.refund_id in self.left)
        if body.rule is RefundRule.DOWNGRADE:
            assert not body.quota_spent
            assert body.gross + self.left[body.refund_id] <= _paid_in(body), body
        self.refunds[body.refund_id] = Refunded(
            of=body.source.id,
            gross=body.gross,
            amount=body.amount,
            cash=body.parts.cash or 0,
            gift=body.parts.gift or 0,
            instalment=self.instalment,
            rule=body.rule,
            spent=body.quota_spent,
            cap=body.cap,
            at=at,
        )

    def _exchanged(self, body: ReservationExchanged, at: Instant) -> None:
        assert body.returned_total == sum(leg.value for leg in body.returned)
        assert body.purchased_total == sum(leg.total for leg in body.purchased)
        assert body.payable == body.purchased_total - body.returned_total
        for bought in body.bought:
            payments = _payments(bought.billing_plan, bought.term_months)
            self.reservations[bought.reservation_id] = (bought.total, payments)
            self.held[bought.reservation_id] = bought.quantity
        for leg in body.returned:
            assert leg.value >= 0
            self.held[leg.reservation_id] -= leg.quantity
            self.refunds[leg.refund_id] = Refunded(
                of=leg.reservation_id,
                gross=leg.value,
                amount=leg.value,
                instalment=leg.instalment,
                at=at,
            )

    def _requested(self, body: CardRefundRequested) -> None:
        one = self.refunds[body.refund_id]
        assert not one.settled, "asked for once it was settled"
        assert not one.under_way, "asked for twice at once"
        one.asked += 1
        assert body.attempt == one.asked, body

    def _moved(
        self, body: RefundSettled | RefundHeld | RefundOverpaid | GatewayAnswerRecorded
    ) -> None:
        """Settled once; a payment of the gateway is booked once, and none but a new one."""
        one, reference = self.refunds[body.refund_id], body.gateway_reference
        if isinstance(body, RefundSettled):
            assert not one.settled, "settled twice"
            one.settled = True
        if reference is None:
            return
        assert body.attempt is not None
        assert 1 <= body.attempt <= one.asked, "an answer for what was never asked"
        one.answered.add(body.attempt)
        paid = isinstance(body, RefundSettled | RefundOverpaid)
        if paid:
            assert reference not in one.payments, "one payment booked twice"
        if isinstance(body, RefundHeld) or getattr(body, "answer", None) is GatewayAnswer.FAILED:
            assert body.attempt not in one.failures.get(reference, ()), "said twice"
            one.failures.setdefault(reference, set()).add(body.attempt)
        if paid or getattr(body, "answer", None) is GatewayAnswer.CONFIRMED:
            assert body.attempt not in one.payments.get(reference, ()), "said twice"
            one.payments.setdefault(reference, set()).add(body.attempt)
        if isinstance(body, RefundOverpaid):
            assert one.settled or one.corrected, "overpaid while it was owed"
            assert body.amount == one.amount
            one.overpaid += body.amount
            self.overpaid += body.amount

    def never_more_than_paid(self) -> None:
        """In total, by fund and by instalment; each payment and each quote at most once."""
        assert all(times == 1 for times in (*self.payments.values(), *self.quotes.values()))
        assert min(self.held.values(), default=0) >= 0
        standing = [*self.before, *(one for one in self.refunds.values() if not one.corrected)]
        for of, paid in (*self.instances.items(), *self.purchases.items()):
            cash = sum(one.cash for one in standing if one.of == of)
            gift = sum(one.gift for one in standing if one.of == of)
            assert cash <= paid.cash, of
            assert gift <= paid.gift, of
        by_payment: Counter[tuple[str, int]] = Counter()
        for one in standing:
            by_payment[one.of, one.instalment] += one.gross
        for (of, number), gross in by_payment.items():
            if of in self.reservations:
                total, payments = self.reservations[of]
                assert gross <= _up_to(total, number, payments) - _up_to(
                    total, number - 1, payments
                ), of

    def spent(self, rule: RefundRule) -> int:
        """How many of a quota are spent."""
        spent_before = {
            RefundRule.FIVE_DAYS_NO_REASON: "full_refunds_used",
            RefundRule.ORDINARY_RETURN: "ordinary_returns_used",
            RefundRule.MARKETPLACE_REVIEW: "marketplace_refunds_issued",
        }
        return getattr(self.brought, spent_before[rule], 0) + sum(
            one.spent and one.rule is rule and not one.quota_restored
            for one in self.refunds.values()
        )

    def pending(self) -> int:
        """Applications that nothing has ended yet."""
        ended = sum(
            one.spent and one.rule is RefundRule.MARKETPLACE_REVIEW for one in self.refunds.values()
        )
        return self.applied - self.given_up - ended

    def counted(self) -> list[tuple[str, Instant, int, int]]:
        """What counts against the cap: refund, instant, both readings."""
        uses = () if self.brought is None else self.brought.cap_uses
        return [
            *(
                (one.reference, one.refunded_at, one.refund_usd, one.cancelled_commitment_usd)
                for one in sorted(uses, key=lambda one: one.refunded_at)
            ),
            *(
                (refund_id, one.at, one.cap.refund_usd, one.cap.cancelled_commitment_usd)
                for refund_id, one in self.refunds.items()
                if one.cap is not None and not one.cap_restored
            ),
        ]

    def consumed(self, now: Instant) -> tuple[int, int]:
        """Both readings of what a rolling year of 365 days holds."""
        young = [one for one in self.counted() if now - one[1] < 365 * DAY]
        return sum(one[2] for one in young), sum(one[3] for one in young)


def _sum(one: Funds, other: Funds) -> Funds:
    return Funds(
        cash=one.cash + other.cash, gift=one.gift + other.gift, voucher=one.voucher + other.voucher
    )


def _paid_in(body: RefundIssued) -> int:
    """What the working says was paid in all, in digits."""
    (split,) = (step for step in body.working if step.step == "ratio_split")
    texts = (split.inputs[name].partition(" ")[0] for name in ("paid_cash", "paid_gift"))
    return sum(int(text.replace(".", "")) for text in texts)


def _payments(plan: BillingPlan, months: int) -> int:
    return 1 if plan is BillingPlan.UPFRONT else months


def _up_to(total: int, number: int, payments: int) -> int:
    """What the first payments come to: half up, in whole numbers."""
    return (2 * total * number + payments) // (2 * payments)

"""What may come next: for each kind of command a body that mostly fits, made of a few picks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from ledger.state.entities import Instance, InstanceStatus, Purchase, Refund, Reservation
from ledger.values.instants import DAY, day_of, format_day
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    ChangeCard,
    CompleteOverdueMarketplaceRefund,
    ConfirmCardRefund,
    ConfirmService,
    CorrectRefund,
    DeclineMarketplaceRefund,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    ExpireInstance,
    ExpireReservation,
    FailCardRefund,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    QuoteReservationRefund,
    RecordInvoiceState,
    RefundReservation,
    RestoreInstance,
    ReturnInstance,
    SetAccountStanding,
    SettleRefund,
    SwapReservation,
    TakeInstanceOffline,
    TransferReservation,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import CommandRefused, RefundIssued, ReservationExchanged
from ledger.vocabulary.shapes import (
    BillingPlan,
    Channel,
    InvoiceState,
    OrderKind,
    Payment,
    PaymentMethod,
    ProductKind,
    RefundReason,
    Role,
)
from tests.bodies import component, conversion, line, order, paid, postpaid, upgrade
from tests.ledger.rules.marketplace.stories import application, purchase, ticket
from tests.ledger.rules.reservations.stories import back, bought, exchange, new, quote_exchange
from tests.properties.world import CARD, EA, ONLINE, World

Proposal = Callable[[World, int, int, int], object]
"""Gives the world a command, by two picks and an amount."""

KINDS = [*[ProductKind.SAAS] * 4, ProductKind.HUMAN_SERVICE, ProductKind.API, ProductKind.IMAGE]
SUPPORT, OWNER = Role.SUPPORT, Role.OWNER


def _order(w: World, a: int, b: int, amount: int) -> None:
    lines = [
        line(
            w.fresh("i", taken=a % 16 == 15),
            paid(amount * (b % 3) // 2, amount * (a % 3), amount % 100),
            component(list_monthly=amount * 10, hourly=((0, amount * 20), (10, amount * 9))),
            discounts=((1, "0.9"), (6, "0.123456789012")),
        )
        for _ in range(1 + a % 2)
    ]
    start = w.s.now - (b % 4) * DAY
    w.give(
        order(
            w.fresh("o", taken=b % 16 == 15),
            *lines,
            starts_at=start,
            ends_at=start + (1 + a * 7) * DAY,
            channel=Channel.PROMOTION if a % 5 == 4 else Channel.STANDARD,
            currency="EUR" if a == b == 7 else w.currency,
        )
    )


def _renew(w: World, a: int, b: int, amount: int) -> None:
    instance_id, found = w.some(Instance, a)
    start = w.s.now
    if found is not None and found.orders:
        start = found.orders[-1].ends_at
    order_id = w.fresh("o")
    bought_again = order(
        order_id,
        line(instance_id, paid(amount, amount * (b % 2)), component(hourly=amount)),
        starts_at=start + (b == 63),
        ends_at=start + (1 + b) * DAY,
        kind=OrderKind.RENEWAL,
        currency=w.currency,
    )
    w.give(bought_again)
    if b % 2:
        w.give(RestoreInstance(instance_id=instance_id, renewal_order_id=order_id))


def _convert(w: World, a: int, b: int, amount: int) -> None:
    instance_id, _ = w.some(Instance, a)
    if b % 3:
        instance_id = w.fresh("i")
        w.give(postpaid(instance_id))
    funds = paid(amount, amount * (b % 2))
    bought_now = line(instance_id, funds, component(list_monthly=amount * 10, hourly=amount * 9))
    start = w.s.now + (b % 4 - 2) * DAY
    w.give(conversion(w.fresh("o"), bought_now, starts_at=start, currency=w.currency))


def _upgrade(w: World, a: int, b: int, amount: int) -> None:
    instance_id = _running(w, a, b)
    w.give(
        upgrade(
            w.fresh("u", taken=b % 16 == 15),
            paid(amount * (b % 3) // 2, amount * (a % 3), amount % 100),
            at=max(0, w.s.now + (b % 6 - 4) * DAY),
            instance_id=instance_id,
            currency="EUR" if a == b == 7 else w.currency,
        )
    )


def _running(w: World, a: int, b: int) -> str:
    """Mostly an instance that runs."""
    running = [one for one, it in w.all(Instance) if it.status is InstanceStatus.RUNNING]
    return running[a % len(running)] if running and b % 8 != 7 else w.some(Instance, a)[0]


def _return(w: World, a: int, b: int, _: int) -> None:
    instance_id = _running(w, a, b)
    role = SUPPORT if b % 4 == 3 else OWNER
    (quoted,) = w.give(QuoteInstanceReturn(instance_id=instance_id), role)
    if isinstance(quoted, CommandRefused):
        return
    found: Any = quoted
    w.s.later((b % 8) * 200_000_000)
    act = ReturnInstance(
        instance_id=instance_id,
        quote_id=found.quote_id,
        acknowledged=True,
        confirmed_amount=found.amount,
        currency=w.currency,
    )
    w.give(act, role)
    if b % 8 == 0:
        _is_as_quoted(w, found)


def _is_as_quoted(w: World, quoted: Any) -> None:
    """Acted on at once, a quote is what it said."""
    outcome = w.outcomes[-1]
    if quoted.violations:
        (refused,) = outcome
        assert isinstance(refused, CommandRefused)
        assert refused.violations == quoted.violations
        return
    (done,) = (b for b in outcome if isinstance(b, RefundIssued | ReservationExchanged))
    names = ("rule", "gross", "fee", "amount", "parts", "cap", "payable", "working")
    for name in set(names) & set(quoted.__struct_fields__) & set(done.__struct_fields__):
        assert getattr(done, name) == getattr(quoted, name), name


def _restore(w: World, a: int, b: int, _: int) -> None:
    instance_id, found = w.some(Instance, a)
    named = found.orders[-1].order_id if found is not None and found.orders else None
    w.give(RestoreInstance(instance_id=instance_id, renewal_order_id=named if b % 4 else "o-1"))


def _instance_timer(w: World, a: int, b: int, _: int) -> None:
    instance_id, found = w.some(Instance, a)
    if found is not None and found.isolation is not None and b % 4:
        isolation_id = found.isolation.isolation_id if b % 8 != 7 else "isolation-404"
        w.give(DestroyIsolatedInstance(instance_id=instance_id, isolation_id=isolation_id))
        return
    named = found.orders[-1].order_id if found is not None and found.orders else "o-1"
    w.give(ExpireInstance(instance_id=instance_id, order_id=named))


def _purchase(w: World, a: int, b: int, amount: int) -> None:
    w.give(
        purchase(
            w.fresh("p", taken=b % 16 == 15),
            KINDS[a % len(KINDS)],
            paid(amount, amount * (b % 3) // 2, amount % 50),
            at=w.s.now - (b % 3) * DAY,
            currency=w.currency,
        )
    )


def _apply(w: World, a: int, b: int, _: int) -> None:
    reason = None if b % 16 == 15 else RefundReason.OTHER
    command = application(w.some(Purchase, a)[0], reason, acknowledged=b % 16 != 14)
    w.give(command, SUPPORT if b % 8 == 7 else None)


def _answer(w: World, a: int, b: int, _: int) -> None:
    purchase_id, found = w.some(Purchase, a)
    match b % 5:
        case 0 | 1:
            w.give(ApproveMarketplaceRefund(purchase_id=purchase_id), None, "v-1")
        case 2:
            w.give(DeclineMarketplaceRefund(purchase_id=purchase_id), None, "v-1")
        case 3:
            w.give(WithdrawMarketplaceRefund(purchase_id=purchase_id))
        case _:
            request = found.request.request_id if found is not None and found.request else "x"
            w.give(CompleteOverdueMarketplaceRefund(purchase_id=purchase_id, request_id=request))


def _invoice(w: World, a: int, b: int, _: int) -> None:
    states = list(InvoiceState)
    command = RecordInvoiceState(
        purchase_id=w.some(Purchase, a)[0], invoice_state=states[b % len(states)]
    )
    w.give(command, Role.BILLING)


def _ticket(w: World, a: int, b: int, amount: int) -> None:
    purchase_id, found = w.some(Purchase, a)
    left = 0 if found is None else found.paid.cash + found.paid.gift
    agreed = left * (b % 8) // 7 + a % 2 if b % 2 else amount % 100
    w.give(ticket(agreed, purchase_id, w.currency))


def _buy(w: World, a: int, b: int, amount: int) -> None:
    w.give(
        bought(
            amount + 1,
            w.fresh("r", taken=b % 16 == 15),
            quantity=1 + a % 5,
            months=36 if b % 4 == 3 else 12,
            starts_on=format_day(day_of(w.s.now, "UTC") + (b % 3) * 9),
            plan=BillingPlan.MONTHLY if a % 2 else BillingPlan.UPFRONT,
            payment=_payment(w, b),
            owners=("u-1",) if b % 8 else ("u-2", "u-1"),
            product_type="SuseLinux" if a % 16 == 15 else "VirtualMachines",
            currency=w.currency,
        )
    )


def _payment(w: World, b: int) -> Payment:
    match w.s.account:
        case "ea" if b % 3:
            return Payment(method=PaymentMethod.COMMITMENT, term_id="t-1")
        case "ea":
            return Payment(method=PaymentMethod.OVERAGE)
        case "card":
            card, invoice = f"k-{b % 2}", f"inv-{b % 5}" if b % 3 else None
            return Payment(method=PaymentMethod.CARD, card_id=card, invoice_id=invoice)
        case _:
            return Payment(
                method=PaymentMethod.INVOICE, invoice_id=f"inv-{b % 5}" if b % 3 else None
            )


def _refund(w: World, a: int, b: int, _: int) -> None:
    reservation_id, quantity = w.some(Reservation, a)[0], (None, 1, 1, 2, 99)[b % 5]
    role = SUPPORT if b % 4 == 3 else OWNER
    ask = QuoteReservationRefund(
        reservation_id=reservation_id, quantity=quantity, usd_rate="7" if b == 62 else w.rate
    )
    (quoted,) = w.give(ask, role)
    if isinstance(quoted, CommandRefused):
        return
    found: Any = quoted
    w.s.later((b % 8) * 200_000_000)
    act = RefundReservation(
        reservation_id=reservation_id,
        quantity=quantity,
        usd_rate=ask.usd_rate,
        quote_id=found.quote_id,
        acknowledged=True,
        confirmed_amount=found.amount,
        currency=w.currency,
    )
    w.give(act, role)
    if b % 8 == 0:
        _is_as_quoted(w, found)
        w.give(act, role)
        w.give(_by_support(act), SUPPORT)


def _by_support(act: RefundReservation) -> RefundReservation:
    """As much again, without a quote."""
    return replace(act, quote_id=None, confirmed_amount=None, currency=None)


def _exchange(w: World, a: int, b: int, amount: int) -> None:
    returned = [w.some(Reservation, a)[0], *([w.some(Reservation, b)[0]] if b % 3 == 2 else [])]
    legs = tuple(back(one, (None, 1, 2)[b % 3]) for one in returned)
    fresh = tuple(
        new(
            amount * (1 + b % 4) + 1,
            w.fresh("r"),
            payment=_payment(w, b),
            plan=BillingPlan.MONTHLY if a % 2 else BillingPlan.UPFRONT,
        )
        for _ in range(1 + a % 2)
    )
    (quoted,) = w.give(quote_exchange(legs, fresh, w.currency))
    if isinstance(quoted, CommandRefused):
        return
    found: Any = quoted
    w.give(
        exchange(legs, fresh, quote_id=found.quote_id, payable=found.payable, currency=w.currency)
    )
    _is_as_quoted(w, found)


def _change(w: World, a: int, b: int, _: int) -> None:
    reservation_id = w.some(Reservation, a)[0]
    match b % 4:
        case 0:
            w.give(SwapReservation(reservation_id=reservation_id, sku="Standard_F1s"))
        case 1:
            owners = ("u-1", "u-2") if b % 8 == 1 else ("u-1",)
            w.give(TransferReservation(reservation_id=reservation_id, owners=owners))
        case _:
            w.give(ExpireReservation(reservation_id=reservation_id))


def _settle(w: World, a: int, b: int, _: int) -> None:
    refund_id = w.some(Refund, a)[0]
    role = SUPPORT if b % 4 == 3 else Role.SYSTEM
    w.give(SettleRefund(refund_id=refund_id, card_id="k-9" if b % 8 == 7 else None), role)


def _gateway(w: World, a: int, b: int, amount: int) -> None:
    """An answer of an attempt that was made, mostly; under few references, so that some come again.
    Now and then support asks again and the gateway answers both.
    """
    refund_id, refund = w.some(Refund, a)
    made = 0 if refund is None else len(refund.attempts)
    kind = FailCardRefund if b % 3 == 0 else ConfirmCardRefund
    attempt = None if b % 4 == 0 else 1 + amount % (made + (b % 16 == 15) or 1)
    w.give(kind(refund_id=refund_id, gateway_reference=f"g-{b % 8}", attempt=attempt))
    if b % 3 == 0 and b % 2:
        w.give(SettleRefund(refund_id=refund_id), SUPPORT)
        late = ConfirmCardRefund(refund_id=refund_id, gateway_reference="late", attempt=1)
        w.give(late)


def _correct(w: World, a: int, b: int, _: int) -> None:
    refund_id = w.some(Refund, a)[0]
    w.give(
        CorrectRefund(
            refund_id=refund_id,
            reason="wrong",
            restore_quota=b % 2 == 0,
            restore_cap=b % 4 < 2,
        )
    )


def _of_account(w: World, a: int, b: int, _: int) -> None:
    match a % 4:
        case 0:
            w.give(SetAccountStanding(in_arrears=b % 2 == 0))
        case 1:
            w.give(ChangeCard(card_id=f"k-{b % 3}"))
        case _:
            today = day_of(w.s.now, "UTC")
            w.give(
                OpenCommitmentTerm(
                    term_id=f"t-{1 + b % 3}",
                    starts_on=max(0, today - b),
                    ends_on=today + 10 * b + 1,
                    amount=10**6,
                    currency=w.currency,
                )
            )


def _postpaid(w: World, a: int, b: int, _: int) -> None:
    if b % 3 == 0:
        w.give(postpaid(w.fresh("i")))
    elif b % 3 == 1:
        w.give(DestroyPostpaidInstance(instance_id=w.some(Instance, a)[0], acknowledged=b % 8 != 7))
    else:
        w.give(TakeInstanceOffline(instance_id=w.some(Instance, a)[0]))


def _confirm(w: World, a: int, b: int, _: int) -> None:
    w.give(ConfirmService(purchase_id=w.some(Purchase, a)[0]), Role.BUYER)


def _again(w: World, a: int, b: int, _: int) -> None:
    w.again(a * 64 + b)


def _id_taken(w: World, a: int, b: int, _: int) -> None:
    """Another command under an id that was used, by anybody, in any role."""
    if w.given:
        one = w.given[-1 - a % len(w.given)]
        w.s.account = one.account
        taken = w.given[b % min(4, len(w.given))].id
        w.give(one.command, list(Role)[b % len(Role)], one.actor_id, id=taken)
        w.again(b % 2)


_ONLINE: list[Proposal] = [
    _order, _order, _renew, _renew, _return, _return, _return, _restore, _instance_timer,
    _instance_timer, _postpaid, _purchase, _purchase, _apply, _apply, _answer, _answer, _invoice,
    _ticket, _ticket, _confirm, _settle, _settle, _correct, _of_account, _again, _again, _id_taken,
    _convert, _upgrade, _upgrade,
]  # fmt: skip
_RESERVED: list[Proposal] = [
    _buy, _buy, _refund, _refund, _refund, _exchange, _exchange, _change, _settle, _settle,
    _settle, _gateway, _gateway, _correct, _of_account, _again, _id_taken, _order, _purchase,
]  # fmt: skip


_CARD: list[Proposal] = [*_RESERVED, _refund, _settle, _gateway, _gateway, _gateway, _gateway]
_OF = {ONLINE: _ONLINE, CARD: _CARD}


def proposed(account: str, pick: int) -> Proposal:
    """One of what may come next for an account of that kind."""
    all_of_it = _OF.get(account, _RESERVED)
    return all_of_it[pick % len(all_of_it)]


def stocked(w: World, account: str) -> None:
    """What a story begins with, so that there is something to be given back."""
    w.s.account = account
    if account == EA:
        w.give(
            OpenCommitmentTerm(
                term_id="t-1", starts_on=0, ends_on=10**5, amount=1, currency=w.currency
            )
        )
    first: tuple[Proposal, ...] = (_order, _order, _purchase, _purchase)
    for number, proposal in enumerate(first if account == ONLINE else (_buy, _buy, _buy)):
        proposal(w, number + 1, number + 1, 2 if number == 0 else 10_000 * number)

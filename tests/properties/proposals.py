"""What may come next: for each kind of command a body that mostly fits, made of a few picks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from ledger.state.entities import Purchase, Refund, Reservation
from ledger.values.instants import DAY, day_of, format_day
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    CompleteOverdueMarketplaceRefund,
    ConfirmCardRefund,
    ConfirmService,
    CorrectRefund,
    DeclineMarketplaceRefund,
    ExpireReservation,
    FailCardRefund,
    OpenCommitmentTerm,
    QuoteReservationRefund,
    RecordInvoiceState,
    RefundReservation,
    SettleRefund,
    SwapReservation,
    TransferReservation,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import CommandRefused
from ledger.vocabulary.shapes import (
    BillingPlan,
    ByFund,
    InvoiceState,
    Payment,
    PaymentMethod,
    ProductKind,
    RefundReason,
    Role,
)
from tests.bodies import (
    paid,
)
from tests.ledger.rules.marketplace.stories import application, purchase, ticket
from tests.ledger.rules.reservations.stories import back, bought, exchange, new, quote_exchange
from tests.properties.accounts import brought, of_account
from tests.properties.instance_proposals import (
    by_the_hour,
    convert,
    enlarge,
    give_back,
    instance_timer,
    is_as_quoted,
    order_instances,
    renew,
    restore,
    shrink,
)
from tests.properties.world import CARD, EA, ONLINE, World

Proposal = Callable[[World, int, int, int], object]
"""Gives the world a command, by two picks and an amount."""

KINDS = [*[ProductKind.SAAS] * 4, ProductKind.HUMAN_SERVICE, ProductKind.API, ProductKind.IMAGE]
SUPPORT, OWNER = Role.SUPPORT, Role.OWNER


def _purchase(w: World, a: int, b: int, amount: int) -> None:
    funds = paid(amount, amount * (b % 3) // 2, amount % 50)
    one = purchase(
        w.fresh("p", taken=b % 16 == 15),
        KINDS[a % len(KINDS)],
        funds,
        at=w.s.now - (b % 3) * DAY,
        currency=w.currency,
    )
    before = ByFund(cash=funds.cash * (a % 3) // 2, gift=funds.gift * (b % 4) // 3)
    w.give(replace(one, refunded=before) if a % 8 == 6 else one)


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
    """Of one in four parts went back before, for what they may have cost; it started earlier."""
    parts = a % 5 if b % 4 == 2 else 0
    days = -40 * (a % 3) if parts else (b % 3) * 9
    one = bought(
        amount + 1,
        w.fresh("r", taken=b % 16 == 15),
        quantity=1 + a % 5,
        months=36 if b % 4 == 3 else 12,
        starts_on=format_day(day_of(w.s.now, "UTC") + days),
        plan=BillingPlan.MONTHLY if a % 2 else BillingPlan.UPFRONT,
        payment=_payment(w, b),
        owners=("u-1",) if b % 8 else ("u-2", "u-1"),
        product_type="SuseLinux" if a % 16 == 15 else "VirtualMachines",
        currency=w.currency,
    )
    share = amount * parts // (1 + a % 5) // (12 if a % 2 else 1)
    before = replace(one, returned_quantity=parts, refunded=share * (b % 3 > 0))
    w.give(before if parts else one)


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
        is_as_quoted(w, found)
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
    is_as_quoted(w, found)


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
        w.give(FailCardRefund(refund_id=refund_id, gateway_reference=f"t-{b % 4}"))


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
    order_instances, order_instances, renew, renew, give_back, give_back, give_back, restore,
    instance_timer, instance_timer, by_the_hour, _purchase, _purchase, _apply, _apply, _answer,
    _answer, _invoice,
    _ticket, _ticket, _confirm, _settle, _settle, _correct, of_account, _again, _again, _id_taken,
    convert, enlarge, enlarge, shrink, shrink,
]  # fmt: skip
_RESERVED: list[Proposal] = [
    _buy, _buy, _refund, _refund, _refund, _exchange, _exchange, _change, _settle, _settle,
    _settle, _gateway, _gateway, _correct, of_account, _again, _id_taken, order_instances,
    _purchase,
]  # fmt: skip


_CARD: list[Proposal] = [*_RESERVED, _refund, _settle, _gateway, _gateway, _gateway, _gateway]
_OF = {ONLINE: _ONLINE, CARD: _CARD}


def proposed(account: str, pick: int) -> Proposal:
    """One of what may come next for an account of that kind."""
    all_of_it = _OF.get(account, _RESERVED)
    return all_of_it[pick % len(all_of_it)]


def stocked(w: World, account: str, before: tuple[int, int, int] | None = None) -> None:
    """What a story begins with, so that there is something to be given back."""
    w.s.account = account
    if before is not None:
        brought(w, *before)
    if account == EA:
        w.give(
            OpenCommitmentTerm(
                term_id="t-1", starts_on=0, ends_on=10**5, amount=1, currency=w.currency
            )
        )
    first: tuple[Proposal, ...] = (order_instances, order_instances, _purchase, _purchase)
    for number, proposal in enumerate(first if account == ONLINE else (_buy, _buy, _buy)):
        proposal(w, number + 1, number + 1, 2 if number == 0 else 10_000 * number)

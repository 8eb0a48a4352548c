"""Every command with a body that fits what is there: what is asked of each state."""

from __future__ import annotations

from collections.abc import Callable

from ledger.state.entities import (
    Account,
    Instance,
    InstanceStatus,
    Refund,
    RefundStatus,
    Reservation,
)
from ledger.values.instants import parse_day
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    ChangeCard,
    Command,
    CompleteOverdueMarketplaceRefund,
    ConfirmCardRefund,
    ConfirmService,
    CorrectRefund,
    DeclineMarketplaceRefund,
    DestroyIsolatedInstance,
    DestroyPostpaidInstance,
    DowngradeInstance,
    EraseSubject,
    ExchangeReservations,
    ExpireInstance,
    ExpireReservation,
    FailCardRefund,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RecordInstanceOrder,
    RecordInstanceUpgrade,
    RecordInvoiceState,
    RecordMarketplacePurchase,
    RecordOpeningPosition,
    RecordReservationPurchase,
    RefundMarketplaceManually,
    RefundReservation,
    RequestMarketplaceRefund,
    RestoreInstance,
    ReturnInstance,
    SetAccountStanding,
    SettleRefund,
    StartPostpaidInstance,
    SwapReservation,
    TakeInstanceOffline,
    TransferReservation,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import CommandRefused, MarketplaceRefundRequested
from ledger.vocabulary.shapes import (
    AccountType,
    BillingPlan,
    ByFund,
    InvoiceState,
    NewReservation,
    OrderKind,
    Payment,
    PaymentMethod,
    ReservationReturn,
    Role,
)
from tests.bodies import downgrading, line, order, paid, postpaid, returning, smaller, upgrade
from tests.ledger.rules.marketplace.stories import application, purchase, ticket
from tests.ledger.rules.reservations.stories import BY_INVOICE
from tests.ledger.rules.reservations.stories import bought as reservation
from tests.scenario import Scenario, role_for

Ask = Callable[[Scenario], Command]
_PAYS_BY = {
    AccountType.EA: Payment(method=PaymentMethod.OVERAGE),
    AccountType.PAYG_CARD: Payment(method=PaymentMethod.CARD, card_id="card-1"),
}


def asked(s: Scenario, kind: type[Command]) -> str:
    """Ask the command; the events or the codes it led to."""
    command = ASKS[kind](s)
    role = _role(s, command)
    s.give(command, role=role, actor_id="v-1" if role is Role.VENDOR else "u-1")
    (first, *_) = s.outcome
    if isinstance(first, CommandRefused):
        return ", ".join(dict.fromkeys(f"`{each.code}`" for each in first.violations))
    return ", ".join(type(event).__name__ for event in s.outcome)


def _role(s: Scenario, command: Command) -> Role:
    """The first that may; but a buyer confirms a service, and support settles what waits."""
    if isinstance(command, ConfirmService):
        return Role.BUYER
    if isinstance(command, SettleRefund) and _waits(s):
        return Role.SUPPORT
    return role_for(command)


def _waits(s: Scenario) -> bool:
    refund = s.state.find(Refund, s.account, last_refund(s))
    return refund is not None and refund.status is RefundStatus.HELD


def last_refund(s: Scenario) -> str:
    """The refund that was issued last."""
    keys = [key.entity_id for key in s.state.entities() if key.kind is Refund]
    return keys[-1] if keys else "none"


def _attempt(s: Scenario) -> int | None:
    """The first one, if the gateway was ever asked."""
    refund = s.state.find(Refund, s.account, last_refund(s))
    return 1 if refund is not None and refund.attempts else None


def _currency(s: Scenario) -> str:
    account = s.state.find(Account, s.account, "")
    return "CNY" if account is None else account.currency


def _instance(s: Scenario) -> Instance | None:
    return s.state.find(Instance, s.account, "i-1")


def _order(s: Scenario) -> RecordInstanceOrder:
    """A renewal that goes on where the last order ends, or now if the instance is in the bin; a
    new order where there is no instance yet.
    """
    found, starts_at = _instance(s), s.now
    kind = OrderKind.NEW if found is None else OrderKind.RENEWAL
    if found is not None and found.status is InstanceStatus.RUNNING and found.orders:
        starts_at = found.orders[-1].ends_at
    bought = line("i-1", paid(1_000))
    order_id = f"o-after-{len(s.recorded)}"
    return order(order_id, bought, starts_at=starts_at, kind=kind, currency=_currency(s))


def _return(s: Scenario) -> ReturnInstance:
    """On a quote, if there is one to be had."""
    quotes = s.give(QuoteInstanceReturn(instance_id="i-1"))
    quote_id = getattr(quotes[0], "quote_id", None)
    return returning("i-1", quote_id, getattr(quotes[0], "amount", None))


def _downgrade(s: Scenario) -> DowngradeInstance:
    """On a quote, if there is one to be had."""
    wanted = smaller(currency=_currency(s))
    (quote,) = s.give(wanted)
    quote_id, amount = getattr(quote, "quote_id", None), getattr(quote, "amount", None)
    return downgrading(wanted, quote_id, amount)


def _restore(s: Scenario) -> RestoreInstance:
    found = _instance(s)
    averted = found.isolation.averted_by if found is not None and found.isolation else None
    return RestoreInstance(instance_id="i-1", renewal_order_id=averted)


def _expire(s: Scenario) -> ExpireInstance:
    found = _instance(s)
    order_id = found.orders[-1].order_id if found is not None and found.orders else "o-1"
    return ExpireInstance(instance_id="i-1", order_id=order_id)


def _destroy(s: Scenario) -> DestroyIsolatedInstance:
    found = _instance(s)
    isolation = found.isolation if found is not None else None
    isolation_id = "none" if isolation is None else isolation.isolation_id
    return DestroyIsolatedInstance(instance_id="i-1", isolation_id=isolation_id)


def _overdue(s: Scenario) -> CompleteOverdueMarketplaceRefund:
    requests = [
        e.body.request_id for e in s.recorded if isinstance(e.body, MarketplaceRefundRequested)
    ]
    request_id = requests[-1] if requests else "none"
    return CompleteOverdueMarketplaceRefund(purchase_id="p-1", request_id=request_id)


def _refund(s: Scenario) -> RefundReservation:
    quotes = s.give(QuoteReservationRefund(reservation_id="r-1", usd_rate="1"))
    quote_id, amount = getattr(quotes[0], "quote_id", None), getattr(quotes[0], "amount", None)
    return RefundReservation(
        reservation_id="r-1",
        usd_rate="1",
        quote_id=quote_id,
        confirmed_amount=amount,
        currency=None if amount is None else _currency(s),
        acknowledged=True,
    )


def _purchase(s: Scenario) -> RecordReservationPurchase:
    """Paid as the account pays."""
    account = s.state.find(Account, s.account, "")
    payment = BY_INVOICE if account is None else _PAYS_BY.get(account.account_type, BY_INVOICE)
    return reservation(36_500, "r-new", payment=payment, currency=_currency(s))


def _quote_exchange(s: Scenario) -> QuoteReservationExchange:
    held = s.state.find(Reservation, s.account, "r-1")
    new = NewReservation(
        reservation_id="r-new",
        product_type="VirtualMachines",
        sku="Standard_D2_v3",
        region="westeurope",
        quantity=2,
        term_months=36,
        total=400_000,
        billing_plan=BillingPlan.UPFRONT,
        payment=BY_INVOICE if held is None else held.payment,
    )
    returns = (ReservationReturn(reservation_id="r-1"),)
    return QuoteReservationExchange(returns=returns, purchases=(new,), currency=_currency(s))


def _exchange(s: Scenario) -> ExchangeReservations:
    asked_for = _quote_exchange(s)
    (quote, *_) = s.give(asked_for)
    return ExchangeReservations(
        returns=asked_for.returns,
        purchases=asked_for.purchases,
        quote_id=getattr(quote, "quote_id", None),
        confirmed_amount=getattr(quote, "amount", None),
        currency=asked_for.currency,
        acknowledged=True,
    )


def _term(s: Scenario) -> OpenCommitmentTerm:
    first, last = parse_day("2026-01-01"), parse_day("2029-01-01")
    return OpenCommitmentTerm(
        term_id="t-new", starts_on=first, ends_on=last, amount=1, currency=_currency(s)
    )


ASKS: dict[type[Command], Ask] = {
    OpenAccount: lambda s: OpenAccount(
        account_type=AccountType.ONLINE, us_government=False, currency=_currency(s)
    ),
    RecordOpeningPosition: lambda s: RecordOpeningPosition(
        as_of=s.now,
        full_refunds_used=1,
        ordinary_returns_used=0,
        marketplace_refunds_issued=0,
        cap_uses=(),
        balance=ByFund(cash=100, gift=0),
        held_credits=(),
        currency=_currency(s),
    ),
    SetAccountStanding: lambda _: SetAccountStanding(in_arrears=True),
    OpenCommitmentTerm: _term,
    ChangeCard: lambda _: ChangeCard(card_id="card-new"),
    EraseSubject: lambda _: EraseSubject(key_number=1),
    RecordInstanceOrder: _order,
    StartPostpaidInstance: lambda _: postpaid("i-new"),
    RecordInstanceUpgrade: lambda s: upgrade("u-new", at=s.now, currency=_currency(s)),
    QuoteInstanceReturn: lambda _: QuoteInstanceReturn(instance_id="i-1"),
    ReturnInstance: _return,
    QuoteInstanceDowngrade: lambda s: smaller(currency=_currency(s)),
    DowngradeInstance: _downgrade,
    DestroyPostpaidInstance: lambda _: DestroyPostpaidInstance(
        instance_id="i-1", acknowledged=True
    ),
    RestoreInstance: _restore,
    TakeInstanceOffline: lambda _: TakeInstanceOffline(instance_id="i-1"),
    ExpireInstance: _expire,
    DestroyIsolatedInstance: _destroy,
    RecordMarketplacePurchase: lambda s: purchase("p-new", at=s.now, currency=_currency(s)),
    ConfirmService: lambda _: ConfirmService(purchase_id="p-1"),
    RecordInvoiceState: lambda _: RecordInvoiceState(
        purchase_id="p-1", invoice_state=InvoiceState.APPLIED
    ),
    RequestMarketplaceRefund: lambda _: application(),
    WithdrawMarketplaceRefund: lambda _: WithdrawMarketplaceRefund(purchase_id="p-1"),
    ApproveMarketplaceRefund: lambda _: ApproveMarketplaceRefund(purchase_id="p-1"),
    DeclineMarketplaceRefund: lambda _: DeclineMarketplaceRefund(purchase_id="p-1", note="used"),
    CompleteOverdueMarketplaceRefund: _overdue,
    RefundMarketplaceManually: lambda s: ticket(100, currency=_currency(s)),
    RecordReservationPurchase: _purchase,
    QuoteReservationRefund: lambda _: QuoteReservationRefund(reservation_id="r-1", usd_rate="1"),
    RefundReservation: _refund,
    QuoteReservationExchange: _quote_exchange,
    ExchangeReservations: _exchange,
    SwapReservation: lambda _: SwapReservation(reservation_id="r-1", sku="Standard_F1s"),
    TransferReservation: lambda _: TransferReservation(reservation_id="r-1", owners=("u-2",)),
    ExpireReservation: lambda _: ExpireReservation(reservation_id="r-1"),
    SettleRefund: lambda s: SettleRefund(
        refund_id=last_refund(s), card_id="card-2" if _waits(s) else None
    ),
    ConfirmCardRefund: lambda s: ConfirmCardRefund(
        refund_id=last_refund(s), gateway_reference=f"g-{len(s.recorded)}", attempt=_attempt(s)
    ),
    FailCardRefund: lambda s: FailCardRefund(
        refund_id=last_refund(s), gateway_reference=f"g-{len(s.recorded)}", attempt=_attempt(s)
    ),
    CorrectRefund: lambda s: CorrectRefund(
        refund_id=last_refund(s), reason="wrong", restore_quota=True, restore_cap=True
    ),
}

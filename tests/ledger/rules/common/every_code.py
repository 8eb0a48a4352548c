"""One story for every code of refusal, and the page that tells each refusal whole.

`python -m tests.ledger.rules.common.every_code` writes the page again; read what changed in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ledger.terms.table import released_terms
from ledger.values.instants import DAY, HOUR, MINUTE
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    Command,
    ConfirmService,
    DestroyPostpaidInstance,
    ExpireInstance,
    RestoreInstance,
    ReturnInstance,
    SetAccountStanding,
    SwapReservation,
    TakeInstanceOffline,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.events import CommandRefused
from ledger.vocabulary.shapes import Channel, InvoiceState, ProductKind, Role
from tests.bodies import line, order, returning
from tests.ledger.rules.instances.acts import bought, quoted, returned, started
from tests.ledger.rules.marketplace import stories as market
from tests.ledger.rules.reservations import stories as held
from tests.ledger.rules.settlement.stories import correct
from tests.scenario import START, Scenario, with_terms
from tools.program import arguments

PAGE = Path(__file__).with_name("refusals.txt")
Story = Callable[[], Scenario]


def _then(
    s: Scenario, command: Command, role: Role | None = None, actor_id: str = "u-1"
) -> Scenario:
    return s.when(command, role=role, actor_id=actor_id)


def _acted_late(**changes: object) -> Scenario:
    s = bought().later(6 * DAY)
    quote = quoted(s)
    values = {"acknowledged": True, "confirmed_amount": quote.amount, "currency": "CNY"}
    later = changes.pop("later", 0)
    assert isinstance(later, int)
    act = ReturnInstance(instance_id="i-1", quote_id=quote.quote_id, **{**values, **changes})  # type: ignore[arg-type] # by name
    return s.later(later).when(act)


def _used() -> Scenario:
    s = held.holding(held.bought(quantity=2)).when(held.quote(quantity=1))
    act = held.act(quantity=1, quote_id=held.quoted(s).quote_id, amount=held.quoted(s).amount)
    s.give(act)
    return s.when(act)


def _no_returns() -> Scenario:
    none = with_terms(released_terms(), full_refunds_per_account=0, ordinary_returns_per_account=0)
    return bought(terms=none).when(returning("i-1"))


def _promoted() -> Scenario:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START, channel=Channel.PROMOTION))
    return s.when(returning("i-1"))


def _in_arrears() -> Scenario:
    s = started()
    s.give(SetAccountStanding(in_arrears=True))
    return s.when(DestroyPostpaidInstance(instance_id="i-1", acknowledged=True))


def _binned() -> Scenario:
    s = bought()
    returned(s)
    return s


def _corrected_twice() -> Scenario:
    s = bought()
    refund_id = returned(s).refund_id
    s.give(correct(refund_id))
    return s.when(correct(refund_id))


def _invoiced(*states: InvoiceState) -> Scenario:
    return market.invoice(market.bought(), *states).when(market.application())


def _exchanged(product: str, total: int, wanted: str = "VirtualMachines") -> Scenario:
    s = held.holding(held.bought(product_type=product))
    fresh = (held.new(total, product_type=wanted),)
    return s.when(held.exchange((held.back(),), fresh), role=Role.SUPPORT)


def _reused() -> Scenario:
    s = bought()
    s.give(returning("i-1"), id="c-1")
    return s.when(returning("i-2"), id="c-1")


RESTORE = RestoreInstance(instance_id="i-1")
WITHDRAW = WithdrawMarketplaceRefund(purchase_id="p-1")
STORIES: dict[Code, Story] = {
    Code.COMMAND_ID_REUSED: _reused,
    Code.NOT_FOUND: lambda: _then(Scenario().opened(), returning("i-9")),
    Code.ALREADY_EXISTS: lambda: _then(bought(), order("o-1", starts_at=START)),
    Code.FORBIDDEN: lambda: _then(bought(), returning("i-1"), Role.VENDOR),
    Code.WRONG_STATE: lambda: _then(_binned(), returning("i-1")),
    Code.ACCESS_REVOKED: lambda: _then(market.approve(market.applied()), market.application()),
    Code.ALREADY_EXPIRED: lambda: _then(bought().later(365 * DAY), returning("i-1")),
    Code.NOT_IN_RECYCLE_BIN: lambda: _then(bought(), TakeInstanceOffline(instance_id="i-1")),
    Code.RETENTION_ELAPSED: lambda: _then(_binned().later(168 * HOUR + 1), RESTORE),
    Code.NOT_PENDING: lambda: _then(market.bought(), WITHDRAW),
    Code.ALREADY_CORRECTED: _corrected_twice,
    Code.NOT_DUE: lambda: _then(bought(), ExpireInstance(instance_id="i-1", order_id="o-1")),
    Code.CURRENCY_MISMATCH: lambda: _then(
        bought(), order("o-2", line("i-2"), starts_at=START, currency="USD")
    ),
    Code.ACCOUNT_TYPE_NOT_ELIGIBLE: lambda: _then(held.holding(), market.purchase(currency="USD")),
    Code.ACCOUNT_IN_ARREARS: _in_arrears,
    Code.RENEWAL_REQUIRED: lambda: _then(_binned(), RESTORE),
    Code.RETURN_QUOTA_EXHAUSTED: _no_returns,
    Code.SELF_SERVICE_NOT_SUPPORTED: _promoted,
    Code.REVIEW_PERIOD_OVER: lambda: _then(market.bought().later(5 * DAY), market.application()),
    Code.NOT_REFUNDABLE: lambda: _then(market.bought(ProductKind.API), market.application()),
    Code.REASON_REQUIRED: lambda: _then(market.bought(), market.application(reason=None)),
    Code.INVOICE_MUST_BE_WITHDRAWN: lambda: _invoiced(InvoiceState.APPLIED),
    Code.INVOICE_MUST_BE_RETURNED: lambda: _invoiced(InvoiceState.APPLIED, InvoiceState.ISSUED),
    Code.EXCEEDS_PAID: lambda: _then(market.bought(), market.ticket(30_001)),
    Code.NOT_OWNER: lambda: _then(
        held.holding(), SwapReservation(reservation_id="r-1", sku="Standard_F1s"), None, "u-3"
    ),
    Code.REFUND_CAP_EXCEEDED: lambda: held.by_support(held.holding(held.bought(5_000_001))),
    Code.INVALID_QUANTITY: lambda: held.by_support(held.holding(), quantity=2),
    Code.DIFFERENT_TYPE: lambda: _exchanged("SqlDatabases", 40_000),
    Code.NOT_EXCHANGEABLE: lambda: _exchanged("SuseLinux", 40_000, "SuseLinux"),
    Code.NEW_TOTAL_TOO_LOW: lambda: _exchanged("VirtualMachines", 36_499),
    Code.SWAP_NOT_SUPPORTED: lambda: _then(
        held.holding(), SwapReservation(reservation_id="r-1", sku="Standard_F2s")
    ),
    Code.QUOTE_REQUIRED: lambda: _then(bought(), returning("i-1")),
    Code.QUOTE_EXPIRED: lambda: _acted_late(later=15 * MINUTE + 1),
    Code.QUOTE_USED: _used,
    Code.QUOTE_CHANGED: lambda: _acted_late(confirmed_amount=1),
    Code.NOT_ACKNOWLEDGED: lambda: _acted_late(acknowledged=False),
}
OTHERS: dict[str, Story] = {
    "the buyer does not agree": lambda: _then(
        market.bought(), market.application(acknowledged=False)
    ),
    "a service not to be confirmed": lambda: _then(
        market.bought(), ConfirmService(purchase_id="p-1"), Role.BUYER
    ),
    "the timer of an application that was withdrawn": lambda: market.timer(
        _then(market.applied(), WITHDRAW)
    ),
    "returned twice in one exchange": lambda: _then(
        held.holding(held.bought(quantity=2)),
        held.exchange((held.back("r-1", 1), held.back("r-1", 1)), (held.new(90_000),)),
        Role.SUPPORT,
    ),
}


def refused(story: Story) -> tuple[Violation, ...]:
    """What the last command of the story was refused for."""
    (refusal,) = story().outcome
    assert isinstance(refusal, CommandRefused)
    return refusal.violations


def told() -> str:
    """Every refusal: the code, the rule, the sentence and the figures."""
    stories = {**{str(code): story for code, story in STORIES.items()}, **OTHERS}
    return "\n".join(
        f"{name}\n"
        + "".join(
            f"    {one.code} {one.rule}: {one.message}\n        {json.dumps(one.figures)}\n"
            for one in refused(story)
        )
        for name, story in stories.items()
    )


if __name__ == "__main__":
    arguments(__doc__)
    PAGE.write_text(told(), "utf-8")

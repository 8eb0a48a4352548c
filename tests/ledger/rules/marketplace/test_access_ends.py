"""Access ends: after any refund neither buyer nor vendor may act on the purchase."""

from __future__ import annotations

import pytest

from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    Command,
    ConfirmService,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.shapes import InvoiceState, ProductKind, Role
from tests.ledger.rules.marketplace.stories import application, bought, invoice, names, ticket

BY_BUYER: list[Command] = [
    application(),
    WithdrawMarketplaceRefund(purchase_id="p-1"),
    ConfirmService(purchase_id="p-1"),
]
BY_VENDOR: list[Command] = [
    ApproveMarketplaceRefund(purchase_id="p-1"),
    DeclineMarketplaceRefund(purchase_id="p-1"),
]


@pytest.mark.parametrize("command", BY_BUYER)
@pytest.mark.parametrize("role", [Role.BUYER, Role.SUPPORT])
def test_a_buyer_may_do_nothing_after_a_partial_refund(command: Command, role: Role) -> None:
    s = bought(ProductKind.HUMAN_SERVICE).when(ticket(100))
    refusal = s.when(command, role=role).refused(Code.ACCESS_REVOKED)
    assert refusal.violations[0].rule == "access_ends"
    assert refusal.violations[0].figures == {"purchase": "p-1", "state": "REFUNDED"}


@pytest.mark.parametrize("command", BY_VENDOR)
def test_a_vendor_may_do_nothing_either(command: Command) -> None:
    s = bought().when(ticket(100))
    s.when(command, actor_id="v-1").refused(Code.ACCESS_REVOKED)


def test_invoices_and_tickets_go_on() -> None:
    s = bought().when(ticket(100))
    assert names(invoice(s, InvoiceState.APPLIED, InvoiceState.NONE)) == ["InvoiceStateRecorded"]
    assert names(s.when(ticket(100))) == ["RefundIssued"]


def test_a_redelivered_refusal_stays_quiet() -> None:
    s = bought().when(ticket(100))
    s.give(application(), id="c-1")
    s.when(application(), id="c-1").then()

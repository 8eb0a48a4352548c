"""Actor: a role gives its own commands; SUPPORT may stand in for OWNER and BUYER."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.policies.actor import forbidden
from ledger.policies.case import Case
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    COMMANDS,
    ROLES,
    Command,
    DestroyIsolatedInstance,
    QuoteInstanceReturn,
    SetAccountStanding,
    SettleRefund,
    TakeInstanceOffline,
)
from ledger.vocabulary.shapes import AccountType, Payment, PaymentMethod, Role
from tests.bodies import line, order
from tests.ledger.rules.reservations.stories import bought, by_support, holding, names, the_refund
from tests.samples import sample
from tests.scenario import START, Scenario

S = frozenset({Role.SUPPORT})
CARD = AccountType.PAYG_CARD


def allowed(name: str) -> frozenset[Role]:
    """The roles that may give a command, as the policy has it."""
    s = Scenario()
    body = sample(COMMANDS[name])
    if isinstance(body, SettleRefund):
        body = replace(body, card_id=None)
    return frozenset(
        role
        for role in Role
        if not list(
            forbidden(
                Case(
                    given=s.command(body, role=role),
                    digest=b"",
                    now=s.now,
                    terms=s.terms.at(s.now),
                    state=s.state,
                )
            )
        )
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_given_by_its_roles_and_support_stands_in(name: str) -> None:
    roles = ROLES[COMMANDS[name]]
    stands_in = bool(roles & {Role.OWNER, Role.BUYER})
    assert allowed(name) == (roles | S if stands_in else roles)


@pytest.mark.parametrize(
    ("command", "role", "may"),
    [
        (QuoteInstanceReturn(instance_id="i-1"), Role.VENDOR, "OWNER, SUPPORT"),
        (TakeInstanceOffline(instance_id="i-1"), Role.BILLING, "OWNER, SUPPORT"),
        (DestroyIsolatedInstance(instance_id="i-1", isolation_id="x"), Role.SUPPORT, "SYSTEM"),
        (SetAccountStanding(in_arrears=False), Role.OWNER, "BILLING"),
    ],
)
def test_another_role_is_told_who_may(command: Command, role: Role, may: str) -> None:
    s = Scenario().opened()
    s.give(order("o-1", starts_at=START))
    violation = s.when(command, role=role).refused(Code.FORBIDDEN).violations[0]
    assert (violation.rule, violation.figures) == ("actor", {"role": role, "allowed": may})


def test_a_forbidden_command_is_told_first_what_does_not_exist() -> None:
    s = Scenario().opened()
    s.when(SettleRefund(refund_id="r-9"), role=Role.OWNER).refused(Code.NOT_FOUND)
    s.when(order("o-1", starts_at=START), role=Role.OWNER).refused(Code.FORBIDDEN)
    s.give(order("o-1", starts_at=START))
    again = order("o-1", line("i-2"), starts_at=START)
    s.when(again, role=Role.OWNER).refused(Code.ALREADY_EXISTS)


def test_only_support_names_another_card_for_a_refund() -> None:
    s = holding(
        bought(payment=Payment(method=PaymentMethod.CARD, card_id="k-1")), account_type=CARD
    )
    refund_id = the_refund(by_support(s)).refund_id
    other = SettleRefund(refund_id=refund_id, card_id="k-2")
    violation = s.when(other, role=Role.SYSTEM).refused(Code.FORBIDDEN).violations[0]
    assert violation.figures == {"role": "SYSTEM", "allowed": "SUPPORT"}
    s.give(other, role=Role.SUPPORT)
    assert names(s) == ["CardRefundRequested"]

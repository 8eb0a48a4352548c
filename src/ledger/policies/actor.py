"""Actor: who may give which command."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Purchase
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import ROLES, SettleRefund
from ledger.vocabulary.shapes import Role

_STOOD_IN_FOR = frozenset({Role.OWNER, Role.BUYER})


def forbidden(case: Case) -> Iterator[Violation]:
    """A role may give only its own commands; SUPPORT may act in place of OWNER and BUYER.

    Source: decided for this ledger. By hand: a VENDOR sends ReturnInstance, which OWNER may give
    (so SUPPORT may too): `FORBIDDEN`. A VENDOR v-2 approves for a purchase of v-1, or a BUYER u-2
    withdraws what u-1 bought: `FORBIDDEN` as well; so is a SYSTEM that names another card for a
    refund, which SUPPORT may.
    """
    allowed = ROLES[type(case.command)]
    if case.role in allowed:
        yield from _not_their_purchase(case)
        yield from _not_their_card(case)
        return
    if case.role is Role.SUPPORT and allowed & _STOOD_IN_FOR:
        return
    roles = ", ".join(sorted(allowed | ({Role.SUPPORT} if allowed & _STOOD_IN_FOR else set())))
    yield violation(
        "actor",
        Code.FORBIDDEN,
        Said("{role} may not give {command}; send it as one of: {allowed}"),
        {"command": case.given.name},
        role=case.role,
        allowed=roles,
    )


def _not_their_purchase(case: Case) -> Iterator[Violation]:
    """A vendor acts only for its own sales, a buyer only for its own purchases."""
    if case.role not in (Role.VENDOR, Role.BUYER):
        return
    purchase_id: str | None = getattr(case.command, "purchase_id", None)
    purchase = case.find(Purchase, purchase_id) if purchase_id is not None else None
    if purchase is None:
        return
    party = purchase.vendor_id if case.role is Role.VENDOR else purchase.buyer_id
    actor_id = case.given.meta.actor.id
    if actor_id == party:
        return
    noun = case.role.lower()
    yield violation(
        "actor",
        Code.FORBIDDEN,
        Said("the {noun} of purchase {purchase} is {party}, not {actor}"),
        {"noun": noun, "purchase": str(purchase_id), "party": party},
        role=case.role,
        actor=actor_id,
        **{noun: party},
    )


def _not_their_card(case: Case) -> Iterator[Violation]:
    """Only support decides that money goes to another card than the original one."""
    command = case.command
    if not isinstance(command, SettleRefund) or command.card_id is None:
        return
    if case.role is not Role.SUPPORT:
        yield violation(
            "actor",
            Code.FORBIDDEN,
            Said("{role} may not name a card for a refund; leave card_id out, or ask support"),
            role=case.role,
            allowed=Role.SUPPORT,
        )

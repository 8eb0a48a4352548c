"""Who: who may refund, exchange, swap or transfer a reservation."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.policies.reservation_state import acted_on
from ledger.state.entities import Reservation
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import TransferReservation
from ledger.vocabulary.shapes import AccountType, Role

RULE = "who"


def not_owner(case: Case) -> Iterator[Violation]:
    """Only an owner of the reservation, or support in place of an owner.

    Source: seed 003 (仅保留项所有者可以处理退款/交换). By hand: r-1 is owned by u-1 and u-2; u-3
    asks for a refund: `NOT_OWNER`.
    """
    if case.role is Role.SUPPORT:
        return
    actor_id = case.given.meta.actor.id
    for reservation_id in acted_on(case.command):
        owners = case.the(Reservation, reservation_id).owners
        if actor_id not in owners:
            yield violation(
                RULE,
                Code.NOT_OWNER,
                Said("{actor} does not own reservation {reservation}; ask one of its owners"),
                reservation=reservation_id,
                actor=actor_id,
                owners=", ".join(owners),
            )


def account_type_not_eligible(case: Case) -> Iterator[Violation]:
    """US-Government enterprise agreements have no self-service exchange, refund or swap.

    Source: seed 003 (不可用于美国政府企业协议客户; 支持…即用即付和 CSP). By hand: an EA account of
    the US government quotes a refund: the quote lists `ACCOUNT_TYPE_NOT_ELIGIBLE`; support may
    refund it. An agreement that expired and was renewed is accepted: its dates are not checked.
    """
    if case.role is Role.SUPPORT or isinstance(case.command, TransferReservation):
        return
    if not acted_on(case.command):
        return
    account = case.account
    if not account.us_government or account.account_type is not AccountType.EA:
        return
    yield violation(
        RULE,
        Code.ACCOUNT_TYPE_NOT_ELIGIBLE,
        Said("US-Government EA accounts have no self-service exchange or refund; ask support"),
        account_type=account.account_type,
        us_government="true",
    )

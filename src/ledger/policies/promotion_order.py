"""Promotion order: only support returns an instance of a promotion order."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.calculations.counted_orders import counted_orders
from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Instance
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    DowngradeInstance,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    ReturnInstance,
)
from ledger.vocabulary.shapes import Channel, Role

_Returns = QuoteInstanceReturn | ReturnInstance
_Downgrades = QuoteInstanceDowngrade | DowngradeInstance
_Concerned = _Returns | _Downgrades


def self_service_not_supported(case: Case) -> Iterator[Violation]:
    """If one of the counted orders is a PROMOTION order, only SUPPORT may return the instance.

    Source: seed 000 (推广奖励渠道订单暂不支持自助退款). By hand: an OWNER returns i-1, whose
    renewal is a PROMOTION order: `SELF_SERVICE_NOT_SUPPORTED`. A downgrade counts only the running
    order.
    """
    if not isinstance(case.command, _Concerned) or case.role is Role.SUPPORT:
        return
    orders = counted_orders(case.the(Instance, case.command.instance_id), case.now)
    counted = orders.all
    if isinstance(case.command, _Downgrades):
        counted = tuple(order for order in counted if order is orders.running)
    promoted = [order.order_id for order in counted if order.channel is Channel.PROMOTION]
    if promoted:
        yield violation(
            "promotion_order",
            Code.SELF_SERVICE_NOT_SUPPORTED,
            Said("order {order} came through the promotion channel; ask support to return it"),
            {"order": promoted[0]},
            orders=", ".join(promoted),
        )

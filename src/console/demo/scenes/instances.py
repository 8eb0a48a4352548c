"""Scenes about instances: returned, restored by a renewal, destroyed, refused."""

from __future__ import annotations

from typing import Any

from console.demo.scene import Beat, Scene, Shown

_ACTORS = {"BILLING": "billing", "OWNER": "li.na", "SUPPORT": "wang.wei"}
_BIN = Shown(
    question="recycle-bin",
    columns=("instance_id", "reason", "state", "isolated_at", "restore_until", "time_left"),
)
_BALANCE = Shown(question="balances", columns=("account_id", "currency", "cash", "gift", "total"))


def _order(order_id: str, instance_id: str, **changes: Any) -> dict[str, Any]:
    """An order as billing records it: one Redis instance, paid for one year in advance."""
    paid = changes.pop("paid")
    line = {
        "instance_id": instance_id,
        "product": "redis",
        "region": "ap-guangzhou",
        "paid": paid,
        "components": [
            {
                "name": "node",
                "list_monthly": "51.00",
                "payg": [{"from_hours": 0, "hourly": "0.42"}],
            }
        ],
        "duration_discounts": [{"from_months": 12, "factor": "0.83"}],
    }
    return {
        "order_id": order_id,
        "kind": "NEW",
        "channel": "STANDARD",
        "lines": [line],
        **changes,
    }


RETURNED_AND_RESTORED = Scene(
    title="Returned within five days, then restored by a renewal",
    account="acct-tea-shop",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-01-05T08:00:00Z",
            say="A tea shop opens an account with the cloud.",
            id="open",
            command="OpenAccount",
            role="BILLING",
            body={"account_type": "ONLINE", "us_government": False, "currency": "CNY"},
        ),
        Beat(
            at="2026-01-05T08:00:00Z",
            say=(
                "It orders a Redis instance for a year: 51.00 a month × 12 × 0.83 = 507.96. "
                "A voucher covers 100.00, cash 200.00, gift money 207.96. The amount paid is "
                "407.96: vouchers are never refunded."
            ),
            id="order",
            command="RecordInstanceOrder",
            role="BILLING",
            body=_order(
                "o-1",
                "redis-1",
                starts_at="2026-01-05T08:00:00Z",
                ends_at="2027-01-05T08:00:00Z",
                paid={"cash": "200.00", "gift": "207.96", "voucher": "100.00"},
            ),
        ),
        Beat(
            at="2026-01-07T08:00:00Z",
            say="Two days later the owner asks how much a return would refund.",
            id="quote",
            command="QuoteInstanceReturn",
            role="OWNER",
            body={"instance_id": "redis-1"},
        ),
        Beat(
            at="2026-01-07T08:10:00Z",
            say=(
                "She has read the terms and confirms the quoted amount. The instance goes to the "
                "recycle bin, and the money to the account's balance, each fund as it was paid."
            ),
            id="return",
            command="ReturnInstance",
            role="OWNER",
            body={
                "instance_id": "redis-1",
                "quote_id": {"quote_of": "quote"},
                "acknowledged": True,
                "confirmed_amount": {"amount_of": "quote"},
            },
            show=(_BALANCE, _BIN),
        ),
        Beat(
            at="2026-01-09T02:00:00Z",
            say="She changes her mind. A prepaid instance is not restored without a renewal:",
            id="restore-too-soon",
            command="RestoreInstance",
            role="OWNER",
            body={"instance_id": "redis-1"},
        ),
        Beat(
            at="2026-01-09T02:20:00Z",
            say="So she renews it for a month, within the seven days …",
            id="renewal",
            command="RecordInstanceOrder",
            role="BILLING",
            body=_order(
                "o-2",
                "redis-1",
                kind="RENEWAL",
                starts_at="2026-01-09T02:20:00Z",
                ends_at="2026-02-09T02:20:00Z",
                paid={"cash": "51.00", "gift": "0.00"},
            ),
        ),
        Beat(
            at="2026-01-09T02:25:00Z",
            say="… and restores the instance. She keeps the refund, and the quota stays used.",
            id="restore",
            command="RestoreInstance",
            role="OWNER",
            body={"instance_id": "redis-1", "renewal_order_id": "o-2"},
            show=(_BIN,),
        ),
    ),
)

RETURNED_AND_DESTROYED = Scene(
    title="An ordinary return: the amount paid, less the value used",
    account="acct-tea-shop",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-01-12T08:00:00Z",
            say="The shop orders a second instance at the same price.",
            id="order-2",
            command="RecordInstanceOrder",
            role="BILLING",
            body={
                **_order(
                    "o-3",
                    "redis-2",
                    starts_at="2026-01-12T08:00:00Z",
                    ends_at="2027-01-12T08:00:00Z",
                    paid={"cash": "200.00", "gift": "207.96", "voucher": "100.00"},
                ),
            },
        ),
        Beat(
            at="2026-01-14T08:00:00Z",
            say=(
                "48 hours later it is not needed any more. The account has used its one full "
                "refund, so the hours used are charged at the pay-as-you-go price. The rest is "
                "split into cash and gift money in the ratio paid."
            ),
            id="quote-2",
            command="QuoteInstanceReturn",
            role="OWNER",
            body={"instance_id": "redis-2"},
        ),
        Beat(
            at="2026-01-14T08:05:00Z",
            say="She confirms the quoted amount five minutes later; the amount has not changed.",
            id="return-2",
            command="ReturnInstance",
            role="OWNER",
            body={
                "instance_id": "redis-2",
                "quote_id": {"quote_of": "quote-2"},
                "acknowledged": True,
                "confirmed_amount": {"amount_of": "quote-2"},
            },
            show=(_BALANCE, _BIN),
        ),
        Beat(
            at="2026-01-22T00:00:00Z",
            say="Nobody renews it. After seven days the system destroys it:",
            show=(_BIN,),
        ),
    ),
)

PROMOTION_ORDER = Scene(
    title="A promotion order: not by self-service, and with a fee",
    account="acct-book-club",
    actors={**_ACTORS, "OWNER": "zhao.min"},
    beats=(
        Beat(
            at="2026-01-22T01:00:00Z",
            say="A book club opens an account …",
            id="open",
            command="OpenAccount",
            role="BILLING",
            body={"account_type": "ONLINE", "us_government": False, "currency": "CNY"},
        ),
        Beat(
            at="2026-01-22T01:00:00Z",
            say="… and buys through the promotion-reward channel (推广奖励渠道).",
            id="order",
            command="RecordInstanceOrder",
            role="BILLING",
            body=_order(
                "o-1",
                "redis-1",
                channel="PROMOTION",
                starts_at="2026-01-22T01:00:00Z",
                ends_at="2027-01-22T01:00:00Z",
                paid={"cash": "300.00", "gift": "107.96"},
            ),
        ),
        Beat(
            at="2026-01-23T01:00:00Z",
            say="The owner asks for a quote. The quote says why a return would be refused:",
            id="quote",
            command="QuoteInstanceReturn",
            role="OWNER",
            body={"instance_id": "redis-1"},
        ),
        Beat(
            at="2026-01-23T01:05:00Z",
            say="He tries it anyway. The refusal is also recorded as an event, with its reason.",
            id="return",
            command="ReturnInstance",
            role="OWNER",
            body={
                "instance_id": "redis-1",
                "quote_id": {"quote_of": "quote"},
                "acknowledged": True,
                "confirmed_amount": {"amount_of": "quote"},
            },
        ),
        Beat(
            at="2026-01-23T03:00:00Z",
            say="He asks support, who returns it for a fee of 25 % of the cash paid: 75.00.",
            id="return-by-support",
            command="ReturnInstance",
            role="SUPPORT",
            body={"instance_id": "redis-1", "acknowledged": True},
            show=(_BALANCE,),
        ),
    ),
)

BILLED_BY_USE = Scene(
    title="Billed by use: two hours in the recycle bin, and no refund",
    account="acct-book-club",
    actors={**_ACTORS, "OWNER": "zhao.min"},
    beats=(
        Beat(
            at="2026-01-23T06:00:00Z",
            say="The club starts an instance that is billed by the hour …",
            id="start",
            command="StartPostpaidInstance",
            role="BILLING",
            body={"instance_id": "redis-9", "product": "redis", "region": "ap-guangzhou"},
        ),
        Beat(
            at="2026-01-23T09:00:00Z",
            say="… and destroys it after three. From now on it costs nothing.",
            id="destroy",
            command="DestroyPostpaidInstance",
            role="OWNER",
            body={"instance_id": "redis-9", "acknowledged": True},
        ),
        Beat(
            at="2026-01-31T00:00:00Z",
            say="Two hours later it is destroyed; the returned instance after seven days.",
            show=(_BIN,),
        ),
    ),
)


LEFT_TO_THE_VISITOR = Scene(
    title="An instance for you to return",
    account="acct-tea-shop",
    actors=_ACTORS,
    beats=(
        Beat(
            at="2026-12-09T10:05:00Z",
            say="The tea shop orders one more instance. On the pages you can return it yourself.",
            id="order-for-you",
            command="RecordInstanceOrder",
            role="BILLING",
            body=_order(
                "o-5",
                "redis-3",
                starts_at="2026-12-09T10:05:00Z",
                ends_at="2027-12-09T10:05:00Z",
                paid={"cash": "200.00", "gift": "207.96", "voucher": "100.00"},
            ),
        ),
    ),
)
